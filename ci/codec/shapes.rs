// What both sides take apart and put together.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};

/// The small event that socketioxide's own benchmarks have.
const EVENT: &str = r#"2["event",{"foo":"bar","arr":[1,2,3]}]"#;

const SEPARATOR: &str = "\u{1e}";

/// An event with four attachments of 256 bytes.
fn binary() -> (String, Vec<Bytes>) {
    let placeholders: Vec<_> = (0..4)
        .map(|k| format!(r#"{{"_placeholder":true,"num":{k}}}"#))
        .collect();
    let attachments = (0..4).map(|k| Bytes::from(vec![k; 256])).collect();
    (format!(r#"54-["event",[{}]]"#, placeholders.join(",")), attachments)
}

/// A hundred small events in one body.
fn payload() -> String {
    vec![format!("4{EVENT}"); 100].join(SEPARATOR)
}

/// Runs one shape, as a benchmark of its own for each side.
fn bench<R>(criterion: &mut Criterion, side: &str, shape: &str, mut run: impl FnMut() -> R) {
    criterion
        .benchmark_group(shape)
        .bench_function(BenchmarkId::from_parameter(side), |bencher| bencher.iter(|| black_box(run())));
}
