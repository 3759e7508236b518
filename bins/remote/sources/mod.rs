//! Sources over the network: what bst-fetch brings and bst-track finds.

mod download;
pub mod fetch;
mod git;
mod http;
mod netrc;
mod progress;
mod retry;
mod tools;
pub mod track;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets only so many at once go on.
struct Permits {
    free: Mutex<usize>,
    freed: Condvar,
}

/// The permission of one to go on, until it is dropped.
struct Permit<'a>(&'a Permits);

impl Permits {
    fn new(count: usize) -> Permits {
        Permits { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    fn take(&self) -> Permit<'_> {
        let mut free = locked(&self.free);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Permit(self)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *locked(&self.0.free) += 1;
        self.0.freed.notify_one();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
