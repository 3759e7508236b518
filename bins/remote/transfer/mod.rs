//! Blobs and trees between the store and servers: only what the other side lacks, in parallel, within
//! bounded memory whatever their size.

pub mod receive;
pub mod send;
pub mod spool;
pub mod walk;

/// How many messages with blobs are on their way at once. Each is in memory, some MiB of it.
pub const AT_ONCE: usize = 4;

/// What went over the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Volume {
    pub blobs: u64,
    pub bytes: u64,
}

impl Volume {
    fn count(&mut self, bytes: u64) {
        self.blobs += 1;
        self.bytes += bytes;
    }
}

impl std::ops::AddAssign for Volume {
    fn add_assign(&mut self, other: Volume) {
        self.blobs += other.blobs;
        self.bytes += other.bytes;
    }
}
