//! `sio-reference-server`
fn main() {}
