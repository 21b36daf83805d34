//! Panics inside the crate become error texts, and print nothing.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it is an Err like any other. The default hook would write to stderr first, so a hook that
/// stays silent for our own calls, and passes on everything else, is put before it once.
pub fn catch<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !INSIDE.with(Cell::get) {
                previous(info);
            }
        }));
    });
    INSIDE.with(|inside| inside.set(true));
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    INSIDE.with(|inside| inside.set(false));
    result.unwrap_or_else(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| s.to_string())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "unknown".to_string());
        Err(format!("the tokenizer failed: {text}"))
    })
}
