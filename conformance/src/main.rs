//! `sio-conformance`
fn main() {}
