//! Work on a graph on several threads: each element after what it depends on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

/// How many elements a thread takes at a time.
const BATCH: usize = 16;
/// Fewer elements than this are not worth a thread.
const FEW: usize = 64;

/// Calls `work` once for each of `0..count`, after those that `depends` gives for it, and gives the results in
/// order. Every dependency has a lower number. `scratch` makes what each thread keeps.
pub fn in_order<T: Send + Sync, S, D: Iterator<Item = usize>>(
    count: usize,
    depends: impl Fn(usize) -> D,
    threads: usize,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(usize, &mut S) -> T + Sync,
) -> Vec<T> {
    if threads < 2 || count < FEW {
        let mut scratch = scratch();
        return (0..count).map(|index| work(index, &mut scratch)).collect();
    }
    let plan = Plan::new(count, depends);
    let results: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut scratch = scratch();
                plan.take_part(|index| _ = results[index].set(work(index, &mut scratch)));
            });
        }
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
}

struct Plan {
    /// How many dependencies are not done yet.
    waits: Vec<AtomicUsize>,
    /// What waits for an element: a range of `dependents`.
    starts: Vec<usize>,
    dependents: Vec<usize>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    ready: VecDeque<usize>,
    left: usize,
}

impl Plan {
    fn new<D: Iterator<Item = usize>>(count: usize, depends: impl Fn(usize) -> D) -> Plan {
        let mut starts = vec![0; count + 1];
        let mut waits: Vec<usize> = vec![0; count];
        for (index, waits) in waits.iter_mut().enumerate() {
            for dependency in depends(index) {
                starts[dependency + 1] += 1;
                *waits += 1;
            }
        }
        (0..count).for_each(|index| starts[index + 1] += starts[index]);
        let mut next = starts.clone();
        let mut dependents = vec![0; starts[count]];
        for index in 0..count {
            for dependency in depends(index) {
                dependents[next[dependency]] = index;
                next[dependency] += 1;
            }
        }
        let ready = (0..count).filter(|&index| waits[index] == 0).collect();
        Plan {
            waits: waits.into_iter().map(AtomicUsize::new).collect(),
            starts,
            dependents,
            queue: Mutex::new(Queue { ready, left: count }),
            changed: Condvar::new(),
        }
    }

    /// Works until nothing is left.
    fn take_part(&self, mut work: impl FnMut(usize)) {
        let mut batch = Vec::new();
        let mut freed: Vec<usize> = Vec::new();
        let mut queue = self.lock();
        loop {
            while queue.ready.is_empty() && queue.left > 0 {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            // Half at most, so that the others have something too.
            let share = (queue.ready.len().div_ceil(2)).min(BATCH);
            batch.extend(queue.ready.drain(..share));
            drop(queue);
            if batch.is_empty() {
                return;
            }
            let done = batch.len();
            for index in batch.drain(..) {
                work(index);
                let dependents = &self.dependents[self.starts[index]..self.starts[index + 1]];
                let is_free = |index: &&usize| self.waits[**index].fetch_sub(1, Ordering::AcqRel) == 1;
                freed.extend(dependents.iter().filter(is_free));
            }
            queue = self.lock();
            queue.left -= done;
            queue.ready.extend(freed.drain(..));
            self.changed.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_after_what_it_depends_on() {
        let depends = |index: usize| [index / 2, index / 3].into_iter().filter(move |&d| d < index);
        let done: Vec<AtomicUsize> = (0..1000).map(|_| AtomicUsize::new(0)).collect();
        let results = in_order(
            1000,
            depends,
            4,
            || (),
            |index, _| {
                assert!(depends(index).all(|dependency| done[dependency].load(Ordering::SeqCst) == 1), "{index}");
                done[index].fetch_add(1, Ordering::SeqCst);
                index
            },
        );
        assert_eq!(results, (0..1000).collect::<Vec<_>>());
    }
}
