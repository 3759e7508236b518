//! The terminal of the person who is asked.

use crate::values::{Code, Error, Result};
use rustix::process::{Pid, Signal, WaitOptions};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// ^C as a character.
const INTERRUPT: u8 = 3;

/// The controlling terminal, in a mode in which ^C is a character that ends a line.
pub(super) struct Terminal {
    file: File,
    before: Termios,
}

/// What a person said.
pub(super) enum Said {
    Line(String),
    Interrupt,
    End,
}

impl Terminal {
    /// The controlling terminal; an error if there is none, or if it is somebody else's turn there.
    pub fn open() -> Result<Terminal> {
        let nobody = |why: String| Error::new(Code::Sandbox, format!("there is nobody to ask: {why}"));
        let file = File::options().read(true).write(true).open("/dev/tty");
        let file = file.map_err(|error| nobody(format!("/dev/tty: {error}")))?;
        let front = rustix::termios::tcgetpgrp(&file).map_err(|error| nobody(error.to_string()))?;
        if front != rustix::process::getpgrp() {
            return Err(nobody("this job is not in the foreground of its terminal".to_owned()));
        }
        let before = rustix::termios::tcgetattr(&file).map_err(|error| nobody(error.to_string()))?;
        Ok(Terminal { file, before })
    }

    /// Prints.
    pub fn say(&mut self, text: &str) -> Result<()> {
        self.file.write_all(text.as_bytes()).map_err(gone)
    }

    /// Reads a line.
    pub fn hear(&mut self) -> Result<Said> {
        let mut asking = self.before.clone();
        asking.local_modes.remove(LocalModes::ISIG);
        asking.local_modes.insert(LocalModes::ICANON | LocalModes::ECHO);
        asking.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
        self.set(&asking)?;
        let said = self.read_line();
        self.set(&self.before)?;
        said
    }

    fn set(&self, modes: &Termios) -> Result<()> {
        rustix::termios::tcsetattr(&self.file, OptionalActions::Drain, modes).map_err(|error| gone(error.into()))
    }

    fn read_line(&mut self) -> Result<Said> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.file.read(&mut byte) {
                Ok(0) => return Ok(Said::End),
                Ok(_) if byte[0] == INTERRUPT => return Ok(Said::Interrupt),
                Ok(_) if byte[0] == b'\n' => return Ok(Said::Line(String::from_utf8_lossy(&line).into_owned())),
                Ok(_) => line.push(byte[0]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(gone(error)),
            }
        }
    }

    /// The terminal as the stdin of another program.
    pub fn stdin(&self) -> Result<Stdio> {
        self.file.try_clone().map(Stdio::from).map_err(gone)
    }

    /// Lets another program have the terminal until it ends. What goes wrong with it is said there.
    pub fn lend(&mut self, command: Result<Command>) -> Result<()> {
        match command.and_then(|command| self.run(command)) {
            Ok(()) => Ok(()),
            Err(error) => self.say(&format!("{error}\n")),
        }
    }

    /// Runs a program as a shell runs a job in the foreground: in a process group of its own, so that the
    /// keys which send signals reach it and nobody else.
    fn run(&mut self, mut command: Command) -> Result<()> {
        command.stdout(self.stdin()?).stderr(self.stdin()?);
        let terminal = self.file.as_raw_fd();
        // SAFETY: only calls that are allowed between fork and exec; the descriptor is open until exec.
        unsafe {
            command.pre_exec(move || {
                libc::setpgid(0, 0);
                to_the_front(terminal, libc::getpid());
                Ok(())
            });
        }
        let program = command.get_program().to_owned();
        let child = command.spawn().map_err(|error| Error::io("cannot run", Path::new(&program), error))?;
        let group = Pid::from_child(&child);
        // One that is stopped by ^Z goes on: there is no shell here from which to wake it.
        while let Ok(Some((_, status))) = rustix::process::waitpid(Some(group), WaitOptions::UNTRACED) {
            if !status.stopped() {
                break;
            }
            let _ = rustix::process::kill_process_group(group, Signal::CONT);
        }
        // SAFETY: as above, with the number of our own group.
        unsafe { to_the_front(terminal, libc::getpgrp()) };
        self.set(&self.before)
    }
}

/// Makes a process group the one that has the terminal.
///
/// # Safety
/// Between fork and exec it makes only calls that are allowed there.
unsafe fn to_the_front(terminal: libc::c_int, group: libc::pid_t) {
    unsafe {
        // Whoever is in the background is stopped for trying, unless it ignores that.
        let before = libc::signal(libc::SIGTTOU, libc::SIG_IGN);
        libc::tcsetpgrp(terminal, group);
        libc::signal(libc::SIGTTOU, before);
    }
}

/// The terminal went away, or never was one.
fn gone(error: std::io::Error) -> Error {
    Error::io("cannot speak with the person at", Path::new("/dev/tty"), error).with_code(Code::Sandbox)
}
