//! Encodes and fine-tunes through libhone.so and checks what comes back. Arguments: MODEL TRAIN DEV WORK, WORK an empty
//! folder; or `layout`, which prints what run_rust.sh compares with C.

mod ffi;
mod hone;

use ffi::*;
use hone::{Config, Dataset, Job, Model, Runtime, Trainer};
use std::mem::{offset_of, size_of};

const STEPS: u64 = 6;
const BATCH: i64 = 8;

fn print_layout() {
    macro_rules! fields {
        ($type:ident: $($field:ident),*) => {
            println!("{} {}", stringify!($type), size_of::<$type>());
            $(println!("{}.{} {}", stringify!($type), stringify!($field), offset_of!($type, $field));)*
        };
    }
    macro_rules! numbers {
        ($($name:ident),*) => { $(println!("{} {}", stringify!($name), $name);)* };
    }
    fields!(hone_str: data, size);
    fields!(hone_vector: data, size);
    fields!(hone_value: text, number, vector);
    fields!(hone_progress: struct_size, state, reserved, steps_done, steps_total, examples_done, loss, learning_rate,
        seconds, metric, best_metric);
    numbers!(
        HONE_OK,
        HONE_EINVAL,
        HONE_EFORMAT,
        HONE_EFAILED,
        HONE_ETIMEDOUT,
        HONE_ECANCELLED,
        HONE_JOB_RUNNING,
        HONE_JOB_FINISHED,
        HONE_JOB_CANCELLED
    );
}

fn options(steps: i64) -> hone::Result<Config> {
    let mut options = Config::new()?;
    options
        .int("runtime.threads", 2)?
        .int("train.steps", steps)?
        .int("train.batch_size", BATCH)?
        .int("train.eval_steps", 3)?
        .real("train.lr", 2e-5)?
        .text("train.schedule", "constant")?;
    Ok(options)
}

fn expect_error<T>(result: hone::Result<T>, code: i32, in_message: &str) -> hone::Error {
    let error = result.err().expect("a call that must fail");
    assert_eq!(error.code, code, "{error}");
    assert!(error.message.contains(in_message), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    error
}

fn check_errors(runtime: &Runtime, model: &Model) -> hone::Result<()> {
    let mut config = Config::new()?;
    let error = expect_error(config.int("train.batch_sice", 1).map(|_| ()), HONE_EINVAL, "train.batch_size");
    assert_eq!(error.subject, "train.batch_sice");
    expect_error(config.text("train.lr", "high").map(|_| ()), HONE_EINVAL, "train.lr");
    expect_error(Model::load(runtime, "no/such/\u{1d11e}"), HONE_EFAILED, "no/such/\u{1d11e}");

    let error = expect_error(model.encode_bytes(&[b"good", b"bad \xff"]), HONE_EFORMAT, "UTF-8");
    assert_eq!(error.row, 1);

    let mut pairs = Dataset::pairs(runtime)?;
    pairs.add("gr\u{fc}n".as_bytes(), b"with \0 inside", 1.0)?;
    let error = expect_error(pairs.add(b"\xc3(", b"", 0.0), HONE_EFORMAT, "sentence1");
    assert_eq!(error.row, 1);
    assert_eq!(pairs.size(), 1);
    Ok(())
}

fn check_encoding(model: &Model) -> hone::Result<Vec<f32>> {
    let texts = ["A man plays the guitar.", "", "Someone makes music.", "\u{65e5}\u{672c}\u{8a9e} \u{1d11e}"];
    let dim = model.dim();
    assert!(dim > 0);
    let vectors = model.encode(&texts)?;
    assert_eq!(vectors.len(), texts.len() * dim);
    for vector in vectors.chunks(dim) {
        let length = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        assert!((length - 1.0).abs() < 1e-5, "length {length}");
    }
    assert!(model.encode(&[])?.is_empty());

    // Any number of threads may encode at once, and it does not show in the vectors.
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(|| model.encode(&texts))).collect();
        for other in others {
            assert!(other.join().expect("no panic")? == vectors);
        }
        Ok(())
    })?;
    Ok(vectors)
}

/// Progress up to the end; the last one has a state that is not running.
fn follow(job: &Job) -> hone::Result<Vec<hone_progress>> {
    let mut all: Vec<hone_progress> = Vec::new();
    loop {
        let Some(progress) = job.next_event(100)? else { continue };
        let last = all.last();
        assert!(last.map_or(0, |last| last.steps_done) <= progress.steps_done);
        all.push(progress);
        if progress.state != HONE_JOB_RUNNING {
            return Ok(all);
        }
    }
}

fn check_training(runtime: &Runtime, model: &Model, train: &str, dev: &str, out: &str) -> hone::Result<()> {
    let (data, dev) = (Dataset::read(runtime, train)?, Dataset::read(runtime, dev)?);
    assert!(data.size() > 0 && dev.size() > 0);
    let before = model.encode(&["A man plays the guitar."])?;

    let mut trainer = Trainer::new(model, &data, Some(&dev), &options(STEPS as i64)?)?;
    let job = trainer.start()?;
    let last = *follow(&job)?.last().expect("the end is never lost");
    assert_eq!(last.state, HONE_JOB_FINISHED);
    assert_eq!((last.steps_done, last.steps_total), (STEPS, STEPS));
    assert_eq!(last.examples_done, STEPS * BATCH as u64);
    assert!(last.loss.is_finite() && last.loss > 0.0, "{last:?}");
    assert!(last.metric.is_finite() && last.best_metric >= last.metric, "{last:?}");
    assert_eq!(last.learning_rate, 2e-5);
    job.wait()?;
    assert_eq!(job.state(), HONE_JOB_FINISHED);
    // The end is given again and again.
    assert_eq!(job.next_event(0)?.expect("at once").state, HONE_JOB_FINISHED);

    let report = job.report()?;
    assert!(report.contains("\"before\"") && report.contains("\"spearman_cosine\""), "{report}");
    let tuned = job.result()?;
    drop((job, trainer, data, dev)); // the model does not need what it was made by
    let after = tuned.encode(&["A man plays the guitar."])?;
    assert!(after != before, "training changed nothing");
    assert!(
        model.encode(&["A man plays the guitar."])? == before,
        "the model that training began with has changed"
    );

    tuned.save(out)?;
    let again = Model::load(runtime, out)?;
    assert!(again.encode(&["A man plays the guitar."])? == after, "saved and loaded, the vectors differ");
    expect_error(tuned.save(out), HONE_EFAILED, out);
    Ok(())
}

fn check_cancelling(runtime: &Runtime, model: &Model, train: &str) -> hone::Result<()> {
    let data = Dataset::read(runtime, train)?;
    let mut trainer = Trainer::new(model, &data, None, &options(1_000_000)?)?;
    let job = trainer.start()?;
    assert!(job.next_event(-1)?.is_some());
    job.cancel();
    job.cancel();
    let last = *follow(&job)?.last().expect("the end is never lost");
    assert_eq!(last.state, HONE_JOB_CANCELLED);
    assert!(last.steps_done < 1_000_000);
    expect_error(job.result(), HONE_ECANCELLED, "");

    // A job that nobody holds is cancelled; its trainer, data and model may go while it still runs.
    let job = trainer.start()?;
    drop(job);
    Ok(())
}

fn main() -> hone::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() == 2 && arguments[1] == "layout" {
        print_layout();
        return Ok(());
    }
    let [_, model, train, dev, work] = &arguments[..] else {
        panic!("arguments: MODEL TRAIN DEV WORK, or layout");
    };
    let runtime = Runtime::new(&options(1)?)?;
    let model = Model::load(&runtime, model)?;
    check_errors(&runtime, &model)?;
    let vectors = check_encoding(&model)?;
    check_training(&runtime, &model, train, dev, &format!("{work}/tuned"))?;
    check_cancelling(&runtime, &model, train)?;

    // A copy keeps the model, and the model keeps its runtime.
    let copy = model.clone();
    drop((runtime, model));
    assert!(copy.encode(&["A man plays the guitar."])? == vectors[..copy.dim()]);
    println!("hone {} from Rust: all checks passed", hone::version());
    Ok(())
}
