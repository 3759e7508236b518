//! The same work on many items, on all cores.

use crate::values::Result;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Below this many items a thread costs more than it saves.
const FEW: usize = 32;

/// Does `work` for each number below `count`, in no order, on all cores. The first error ends it.
pub fn for_each(count: usize, work: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    for_each_with(count, || (), |(), index| work(index))
}

/// The same with something that each thread makes once and keeps (a buffer).
pub fn for_each_with<S>(
    count: usize,
    make: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Result<()> + Sync,
) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    if count < FEW || threads < 2 {
        let mut state = make();
        return (0..count).try_for_each(|index| work(&mut state, index));
    }
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(None);
    // Neighbours share directories, so each thread takes some at a time.
    let step = (count / (threads * 8)).clamp(1, 64);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut state = make();
                loop {
                    let first = next.fetch_add(step, Ordering::Relaxed);
                    if first >= count {
                        return;
                    }
                    for index in first..(first + step).min(count) {
                        if let Err(error) = work(&mut state, index) {
                            next.store(count, Ordering::Relaxed);
                            failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
                            return;
                        }
                    }
                }
            });
        }
    });
    match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Error;

    #[test]
    fn every_item_is_treated_once_and_an_error_comes_out() {
        let done: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        for_each(1000, |index| {
            done[index].fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .expect("no error");
        assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        let error = for_each(1000, |index| if index == 700 { Err(Error::usage("no")) } else { Ok(()) });
        assert_eq!(error.expect_err("an error").message(), "no");
    }
}
