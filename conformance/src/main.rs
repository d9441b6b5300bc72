//! `sio-conformance`

use std::process::ExitCode;

use conformance::exit::Exit;
use conformance::run::boot::guard;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next() {
        Some(word) if word == guard::COMMAND => guard::main(args),
        _ => Exit::Usage.into(),
    }
}
