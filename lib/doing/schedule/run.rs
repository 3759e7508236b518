//! The loop: waits for whatever comes first, and does what follows.

use super::Options;
use super::event::{Event, Watcher, finish};
use super::signals::{Offspring, Signals};
use super::state::{Scheduler, Stopping};
use crate::values::{Error, Exit, Record, Result};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, poll};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

/// While records keep coming nothing is started, unless they pause this long: what can be known without
/// building, a cached failure above all, is known first.
const PAUSE: Duration = Duration::from_millis(50);

/// As many batches of records wait to be taken.
const BATCHES: usize = 8;

/// Where records come from, and signals.
pub struct Feed {
    batches: Receiver<Vec<Result<Record>>>,
    bell: Arc<OwnedFd>,
    signals: Signals,
}

/// The other end of a [`Feed`], for the thread that reads.
pub struct Feeder {
    batches: SyncSender<Vec<Result<Record>>>,
    bell: Arc<OwnedFd>,
}

/// A feed and its other end. From now on the signals that stop a run are the feed's.
pub fn feed() -> Result<(Feeder, Feed)> {
    let signals = Signals::take()?;
    let bell = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|error| Error::io("cannot make", Path::new("an event descriptor"), error))?;
    let bell = Arc::new(bell);
    let (sender, receiver) = sync_channel(BATCHES);
    Ok((Feeder { batches: sender, bell: Arc::clone(&bell) }, Feed { batches: receiver, bell, signals }))
}

impl Feeder {
    /// Hands records over; `false` if nobody wants them any more.
    pub fn send(&self, batch: Vec<Result<Record>>) -> bool {
        let sent = self.batches.send(batch).is_ok();
        self.ring();
        sent
    }

    fn ring(&self) {
        // A counter that is full rings too.
        let _ = rustix::io::write(&*self.bell, &1_u64.to_ne_bytes());
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        // The receiver has to see that this end is gone, not only that the bell rang.
        let (closed, _) = sync_channel(0);
        drop(std::mem::replace(&mut self.batches, closed));
        self.ring();
    }
}

/// Runs CMD for all records of a feed that need it.
pub fn run(options: &Options, feed: &mut Feed, watcher: &mut dyn Watcher) -> Result<Exit> {
    let offspring = Offspring::adopt();
    let mut scheduler = Scheduler::new(options, watcher);
    scheduler.tell(&Event::Begin { command: options.pipeline.shown(), jobs: options.jobs, pid: std::process::id() });
    let outcome = turn(&mut scheduler, feed, &offspring);
    if outcome.is_err() {
        scheduler.stop(Stopping::Terminate, "the output is closed");
    }
    offspring.kill();
    let event = finish(scheduler.counts, scheduler.exit);
    scheduler.tell(&event);
    let exit = scheduler.exit;
    outcome.and_then(|()| watcher.flush()).map(|()| exit)
}

fn turn(scheduler: &mut Scheduler<'_>, feed: &mut Feed, offspring: &Offspring) -> Result<()> {
    let mut quiet_at = Instant::now() + PAUSE;
    loop {
        if take_records(scheduler, feed)? {
            quiet_at = Instant::now() + PAUSE;
        }
        let now = Instant::now();
        let settled = scheduler.ended || now >= quiet_at;
        scheduler.ask_next();
        if settled && !scheduler.waits_for_hook() {
            scheduler.start_ready()?;
        }
        scheduler.emit()?;
        if scheduler.is_idle() && scheduler.stopping == Stopping::Terminate && !scheduler.ended {
            scheduler.abandon_input();
            continue;
        }
        if scheduler.is_idle() && scheduler.ended {
            if !scheduler.resolve_circle() {
                return scheduler.watcher.flush();
            }
            continue;
        }
        scheduler.watcher.flush()?;
        let quiet = (!settled && !scheduler.ready.is_empty()).then(|| quiet_at.saturating_duration_since(now));
        let timeout = [scheduler.next_time(), quiet].into_iter().flatten().min();
        wait(scheduler, feed, timeout);
        for stop in feed.signals.stops() {
            scheduler.signalled(stop);
        }
        scheduler.read_jobs();
        while let Some((process, status)) = offspring.reap() {
            scheduler.process_ended(process, status);
        }
        scheduler.hear();
        scheduler.kill_stubborn();
    }
}

/// Takes all records that are there; whether there were some.
fn take_records(scheduler: &mut Scheduler<'_>, feed: &Feed) -> Result<bool> {
    let mut found = false;
    while !scheduler.ended {
        match feed.batches.try_recv() {
            Ok(batch) => {
                for record in batch {
                    scheduler.accept(record)?;
                }
                found = true;
                scheduler.emit()?;
            }
            Err(TryRecvError::Empty) => break,
            Err(TryRecvError::Disconnected) => scheduler.end_of_input(),
        }
    }
    Ok(found)
}

/// Waits until something happens, at most for `timeout`.
fn wait(scheduler: &Scheduler<'_>, feed: &Feed, timeout: Option<Duration>) {
    let mut waits = Vec::with_capacity(4 + 2 * scheduler.jobs.len());
    waits.push(PollFd::new(&feed.signals, PollFlags::IN));
    if !scheduler.ended {
        waits.push(PollFd::new(&*feed.bell, PollFlags::IN));
    }
    for job in scheduler.jobs.iter().flatten() {
        waits.extend(job.descriptors().map(|descriptor| PollFd::new(descriptor, PollFlags::IN)));
    }
    if let Some(descriptor) = scheduler.hook.as_ref().and_then(super::hook::Hook::descriptor) {
        waits.push(PollFd::new(descriptor, PollFlags::IN));
    }
    let timeout = timeout.map(|timeout| Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    // An interrupted wait is a short one.
    let _ = poll(&mut waits, timeout.as_ref());
    let mut rings = [0; 8];
    let _ = rustix::io::read(&*feed.bell, &mut rings);
}
