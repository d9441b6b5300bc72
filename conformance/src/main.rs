//! `sio-conformance`

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use conformance::cli::{Cli, Command};
use conformance::commands;
use conformance::exit::Exit;
use conformance::run::boot::guard;
use mimalloc::MiMalloc;

/// A proof makes and drops small things by the million.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|word| word == guard::COMMAND) {
        return guard::main(args);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::AsExpected.into()
            };
        }
    };
    let result = match cli.command {
        Command::Run(args) => commands::run(&args),
        Command::Browser(args) => commands::browser(&args),
        Command::Codec(args) => commands::codec::codec(&args),
        Command::Copy(args) => commands::copy::copy(&args),
        Command::List(args) => commands::list(&args),
        Command::Probe(args) => commands::probe(&args),
        Command::Init(args) => commands::init(&args),
        Command::Show { case } => commands::show(&case),
        Command::Accept(args) => commands::accept(&args),
        Command::Report(args) => commands::report(&args),
        Command::Record(args) => commands::record(&args),
        Command::Shrink(args) => commands::shrink(&args),
        Command::Prove(args) => commands::prove(&args),
        Command::Completions(args) => commands::completions(&args),
        Command::Man(args) => commands::man(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            error.exit.into()
        }
    }
}
