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
const DURATION: Duration = Duration::from_secs(3);

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
            "  resident bytes each      {ours:>10.0}  {theirs:>10.0}   1 : {:.2}",
            theirs / ours
        );
        println!("  {} at most {BYTES:.0}", verdict(ours <= BYTES));
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
        println!("  messages per CPU second  {ours:>10.0}  {theirs:>10.0}   {ratio:.2} times");
        for (side, runs) in ["ours", "theirs"].iter().zip(figures) {
            let all: Vec<_> = runs.iter().map(|run| format!("{:.0}", run.per_cpu_second)).collect();
            println!("    {side:<22} {}", all.join(" "));
        }
        let [ours, theirs] = both(|run| run.per_second);
        println!("  messages per second      {ours:>10.0}  {theirs:>10.0}");
        let [p99, theirs] = both(|run| run.p99);
        if !p99.is_nan() {
            println!("  p99 in milliseconds      {p99:>10.2}  {theirs:>10.2}");
        }
        let [ours, theirs] = figures
            .each_ref()
            .map(|runs| runs.iter().map(|run| run.misplaced).sum::<u64>());
        println!("  out of order             {ours:>10}  {theirs:>10}");
        println!("  {} at least {} times", verdict(ratio >= self.bar), self.bar);
        if self.name == "echo-500x1" {
            println!("  {} a p99 below {P99} ms", verdict(p99 < P99));
        }
    }
}

fn verdict(met: bool) -> &'static str {
    if met { "met:   " } else { "MISSED:" }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
