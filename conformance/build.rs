//! The cases and requirements are embedded: a change of one is a change of the program.

fn main() {
    println!("cargo:rerun-if-changed=../fixtures");
}
