//! Puts two servers under the same load, in turns, and prints what each needs for it. `ci/bench` is how it is called.

mod broadcast;
mod echo;
mod idle;
mod meter;
mod polling;
mod server;
mod socket;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use meter::Figures;
use server::Server;

/// How often each server is measured where `RUNS` does not say, and for how long.
const RUNS: usize = 5;
const DURATION: Duration = Duration::from_secs(2);

/// How many connections are idle.
const IDLE: usize = 10_000;

/// What one server is asked to do, and what is expected of ours.
struct Load {
    name: &'static str,
    what: &'static str,
    kind: Kind,
    /// How many times as much as the other server it is to do in a second of CPU.
    bar: f64,
}

#[derive(Clone, Copy)]
enum Kind {
    Echo { connections: usize, window: usize },
    Broadcast(usize),
    Polling(usize),
}

const LOADS: [Load; 4] = [
    Load {
        name: "echo-50x16",
        what: "echo over websocket, 50 connections with 16 messages under way each",
        kind: Kind::Echo {
            connections: 50,
            window: 16,
        },
        bar: 4.0,
    },
    Load {
        name: "echo-500x1",
        what: "echo over websocket, 500 connections with 1 message under way each",
        kind: Kind::Echo {
            connections: 500,
            window: 1,
        },
        bar: 1.4,
    },
    Load {
        name: "broadcast-500",
        what: "broadcast over websocket to 500 connections, one after the other",
        kind: Kind::Broadcast(500),
        bar: 1.15,
    },
    Load {
        name: "polling-100",
        what: "echo over long polling, 100 clients with 1 message under way each",
        kind: Kind::Polling(100),
        bar: 1.3,
    },
];

/// The slowest hundredth of `echo-500x1` may take that long, in milliseconds; an idle connection may cost that much.
const P99: f64 = 10.0;
const BYTES: f64 = 10_000.0;

/// The command line: `load CORE OURS THEIRS [LOAD…]`.
struct Arguments {
    core: String,
    commands: [String; 2],
    wanted: Vec<String>,
    runs: usize,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(core), Some(ours), Some(theirs)) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("load CORE OURS THEIRS [LOAD…]");
        return ExitCode::from(2);
    };
    let arguments = Arguments {
        core,
        commands: [ours, theirs],
        wanted: arguments.collect(),
        runs: std::env::var("RUNS")
            .ok()
            .and_then(|runs| runs.parse().ok())
            .unwrap_or(RUNS),
    };
    let names = || LOADS.iter().map(|load| load.name).chain(["idle"]);
    if let Some(unknown) = arguments
        .wanted
        .iter()
        .find(|wanted| names().all(|name| name != *wanted))
    {
        eprintln!(
            "no load is called {unknown}; there are {}",
            names().collect::<Vec<_>>().join(" ")
        );
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result =
        runtime.and_then(|runtime| runtime.block_on(tokio::task::LocalSet::new().run_until(compare(&arguments))));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(arguments: &Arguments) -> io::Result<()> {
    let wanted = |name: &str| arguments.wanted.is_empty() || arguments.wanted.iter().any(|wanted| wanted == name);
    for load in LOADS.iter().filter(|load| wanted(load.name)) {
        println!("\n{}: {}", load.name, load.what);
        let mut figures: [Vec<Figures>; 2] = [Vec::new(), Vec::new()];
        for run in 0..arguments.runs {
            // Whoever begins is the other one the next time.
            for side in [run % 2, 1 - run % 2] {
                let command = &arguments.commands[side];
                let server = Server::start(command, &arguments.core).await?;
                let run = load.kind.run(&server).await;
                figures[side].push(run.map_err(|error| io::Error::new(error.kind(), format!("{command}: {error}")))?);
                server.stop().await?;
            }
        }
        load.print(&figures);
    }
    if wanted("idle") {
        println!("\nidle: {IDLE} connections over websocket that have joined and are silent");
        let mut bytes = [0.0; 2];
        for (command, bytes) in arguments.commands.iter().zip(&mut bytes) {
            let server = Server::start(command, &arguments.core).await?;
            *bytes = idle::run(&server, IDLE).await?;
            server.stop().await?;
        }
        let [ours, theirs] = bytes;
        println!(
            "  {ours:.0} resident bytes each, to be at most {BYTES}   {}",
            verdict(ours <= BYTES)
        );
        println!("    theirs {theirs:>8.0}, {:.2} times as many", theirs / ours);
    }
    Ok(())
}

impl Kind {
    async fn run(self, server: &Server) -> io::Result<Figures> {
        match self {
            Kind::Echo { connections, window } => echo::run(server, connections, window, DURATION).await,
            Kind::Broadcast(connections) => broadcast::run(server, connections, DURATION).await,
            Kind::Polling(connections) => polling::run(server, connections, DURATION).await,
        }
    }
}

impl Load {
    fn print(&self, figures: &[Vec<Figures>; 2]) {
        let both = |of: fn(&Figures) -> f64| figures.each_ref().map(|runs| median(runs.iter().map(of).collect()));
        let [ours, theirs] = both(|run| run.per_cpu_second);
        let ratio = ours / theirs;
        println!(
            "  {ratio:.2} times, to be {}   {}",
            self.bar,
            verdict(ratio >= self.bar)
        );
        let [p99, other] = both(|run| run.p99);
        if self.name == "echo-500x1" {
            println!("  p99 {p99:.2} ms, to be below {P99}   {}", verdict(p99 < P99));
        }
        let rate = both(|run| run.per_second);
        let misplaced = figures
            .each_ref()
            .map(|runs| runs.iter().map(|run| run.misplaced).sum());
        let sides = [("ours", ours, p99), ("theirs", theirs, other)];
        for (k, (side, per_cpu_second, p99)) in sides.into_iter().enumerate() {
            let mut runs: Vec<_> = figures[k].iter().map(|run| run.per_cpu_second).collect();
            runs.sort_by(f64::total_cmp);
            let (least, most) = (runs.first().unwrap_or(&f64::NAN), runs.last().unwrap_or(&f64::NAN));
            print!(
                "    {side:<6} {per_cpu_second:>8.0} a CPU second ({least:.0} to {most:.0}), {:.0} a second",
                rate[k]
            );
            if !p99.is_nan() {
                print!(", p99 {p99:.2} ms");
            }
            match misplaced[k] {
                0u64 => println!(),
                misplaced => println!(", {misplaced} out of order"),
            }
        }
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
