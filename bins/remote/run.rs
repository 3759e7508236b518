//! What the main functions share: the runtime, and the loop of a filter that treats several records at once.

use crate::options;
use bst_plumbing::edge::cli::{self, Arguments, Program};
use bst_plumbing::edge::pipe::{self, Reader};
use bst_plumbing::edge::selection;
use bst_plumbing::store::inventory::Inventory;
use bst_plumbing::store::select::Selection;
use bst_plumbing::store::{Store, naming};
use bst_plumbing::values::{Code, Error, Exit, Record, Result};
use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Runs a program. SIGINT and SIGTERM end it as they end any program, after what it has open is tidied up.
pub fn main<F>(program: &'static Program, body: impl FnOnce(Arguments) -> F) -> ExitCode
where
    F: Future<Output = Result<Exit>>,
{
    main_until(program, async |arguments, mut interrupt| {
        tokio::select! {
            outcome = body(arguments) => outcome,
            () = interrupt.wait() => Ok(Exit::Stopped),
        }
    })
}

/// Runs a program that does something of its own when it is interrupted, and then comes back.
pub fn main_until<F>(program: &'static Program, body: impl FnOnce(Arguments, Interrupt) -> F) -> ExitCode
where
    F: Future<Output = Result<Exit>>,
{
    let number = Arc::new(AtomicI32::new(0));
    let exit = cli::main(program, |arguments| {
        let runtime = runtime(3)?;
        let outcome = runtime.block_on(async {
            let interrupt = Interrupt::listen(number.clone())?;
            body(arguments.clone(), interrupt).await
        });
        runtime.shutdown_timeout(Duration::from_secs(2));
        outcome
    });
    match number.load(Ordering::SeqCst) {
        0 => {}
        // SAFETY: the default action of a valid signal, sent to this process itself.
        number => unsafe {
            libc::signal(number, libc::SIG_DFL);
            libc::raise(number);
        },
    }
    exit
}

/// The signals that ask the program to end.
pub struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
    number: Arc<AtomicI32>,
}

impl Interrupt {
    fn listen(number: Arc<AtomicI32>) -> Result<Interrupt> {
        let listen =
            |kind| signal(kind).map_err(|error| Error::new(Code::Disk, format!("cannot listen to signals: {error}")));
        Ok(Interrupt {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            number,
        })
    }

    /// Waits for one. The program ends by it when its body comes back.
    pub async fn wait(&mut self) {
        let number = tokio::select! {
            _ = self.interrupt.recv() => libc::SIGINT,
            _ = self.terminate.recv() => libc::SIGTERM,
        };
        self.number.store(number, Ordering::SeqCst);
    }
}

/// A runtime whose threads are not killed by SIGPIPE when a server goes away. The main thread is, when the
/// reader of stdout does.
pub fn runtime(threads: usize) -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .on_thread_start(|| {
            // SAFETY: plain system calls on a set of our own; zero is a valid start for it.
            unsafe {
                let mut signals: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&mut signals);
                libc::sigaddset(&mut signals, libc::SIGPIPE);
                libc::pthread_sigmask(libc::SIG_BLOCK, &signals, std::ptr::null_mut());
            }
        })
        .build()
        .map_err(|error| Error::new(Code::Disk, format!("cannot start threads: {error}")))
}

/// What treating one record gave: the record, and how it went.
pub type Treated = (Record, Result<Exit>);

/// Treats what the command line asks for: the artifacts that operands name, with `--all` those of the store
/// that the selection means, or else the records of stdin.
pub async fn records<F>(
    program: &'static Program,
    store: &Store,
    arguments: &Arguments,
    treat: impl Fn(Record) -> F,
) -> Result<Exit>
where
    F: Future<Output = Treated> + Send + 'static,
{
    selected(program, store, arguments, treat, |_| true).await
}

/// The same, where only records that `wanted` means come out.
pub async fn selected<F>(
    program: &'static Program,
    store: &Store,
    arguments: &Arguments,
    treat: impl Fn(Record) -> F,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Exit>
where
    F: Future<Output = Treated> + Send + 'static,
{
    let words = arguments.operand_texts()?;
    let input = match (arguments.has("all"), words.is_empty()) {
        (true, true) => from_store(store.clone(), selection::of(arguments)?),
        (true, false) => return Err(Error::usage("--all and names exclude one another")),
        (false, true) => from_stdin(),
        (false, false) => from_words(store, &words)?,
    };
    filter(program.name, options::jobs(arguments)?, input, treat, wanted).await
}

/// The loop of a filter: up to `at_once` records are treated at the same time, and come out in the order in
/// which they went in, each as soon as it and those before it are done. Errors become part of the record.
async fn filter<F>(
    program: &str,
    at_once: usize,
    mut input: mpsc::Receiver<Result<Record>>,
    treat: impl Fn(Record) -> F,
    wanted: impl Fn(&Record) -> bool,
) -> Result<Exit>
where
    F: Future<Output = Treated> + Send + 'static,
{
    let mut writer = pipe::stdout();
    let mut running: VecDeque<JoinHandle<Treated>> = VecDeque::new();
    let mut open = true;
    let mut exit = Exit::Done;
    while open || !running.is_empty() {
        tokio::select! {
            done = first(&mut running), if !running.is_empty() => {
                running.pop_front();
                let (mut record, outcome) = done?;
                let outcome = settle(program, &mut record, outcome)?;
                if wanted(&record) {
                    exit = exit.and(outcome);
                    writer.push(&record)?;
                    writer.flush()?;
                }
            }
            next = input.recv(), if open && running.len() < at_once => match next {
                Some(Ok(record)) => running.push_back(match pipe::earlier(&record) {
                    Some(exit) => tokio::spawn(async move { (record, Ok(exit)) }),
                    None => tokio::spawn(treat(record)),
                }),
                Some(Err(error)) => running.push_back(tokio::spawn(async { (Record::default(), Err(error)) })),
                None => open = false,
            }
        }
    }
    Ok(exit)
}

fn settle(program: &str, record: &mut Record, outcome: Result<Exit>) -> Result<Exit> {
    outcome.or_else(|error| {
        eprintln!("{program}: {}: {error}", record.label());
        record.set_error(&error)?;
        Ok(error.code().exit())
    })
}

async fn first(running: &mut VecDeque<JoinHandle<Treated>>) -> Result<Treated> {
    match running.front_mut() {
        Some(task) => task.await.map_err(|error| Error::new(Code::Cancelled, format!("a record was lost: {error}"))),
        None => std::future::pending().await,
    }
}

/// The records of stdin, read on a thread of its own.
fn from_stdin() -> mpsc::Receiver<Result<Record>> {
    let (sender, receiver) = mpsc::channel(64);
    std::thread::spawn(move || {
        let mut reader = Reader::new(std::io::stdin());
        while let Some(record) = reader.next_record() {
            if sender.blocking_send(record).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Records of the artifacts that words name.
fn from_words(store: &Store, words: &[&str]) -> Result<mpsc::Receiver<Result<Record>>> {
    let mut named = Vec::new();
    for word in words {
        named.extend(naming::records(store, word)?);
    }
    let (sender, receiver) = mpsc::channel(named.len().max(1));
    for record in named {
        // There is room for each.
        let _ = sender.try_send(Ok(record));
    }
    Ok(receiver)
}

/// Records of what the store has, listed on a thread of its own.
fn from_store(store: Store, selection: Selection) -> mpsc::Receiver<Result<Record>> {
    let (sender, receiver) = mpsc::channel(64);
    std::thread::spawn(move || {
        for entry in Inventory::new(&store).all() {
            let record = match entry {
                Ok(entry) if !selection.has(&entry) => continue,
                Ok(entry) => entry.to_record(),
                Err(error) => Err(error),
            };
            if sender.blocking_send(record).is_err() {
                return;
            }
        }
    });
    receiver
}
