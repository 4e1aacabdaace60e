//! Where log lines go: stderr, one line a record.

use std::io::Write;
use std::sync::OnceLock;

use log::{Level, LevelFilter, Log, Metadata, Record};

struct Lines {
    /// With the priority that journald and the broker read.
    prefixed: bool,
}

static LINES: OnceLock<Lines> = OnceLock::new();

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Info
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let prefix = match record.level() {
            _ if !self.prefixed => "",
            Level::Error => "<3>",
            Level::Warn => "<4>",
            Level::Info => "<6>",
            Level::Debug | Level::Trace => "<7>",
        };
        let text = format!("{} {}: {}", record.level(), record.target(), record.args()).replace('\n', "\\n");
        let _ = std::io::stderr().lock().write_all(format!("{prefix}{text}\n").as_bytes());
    }

    fn flush(&self) {}
}

/// Sends log records, and what panics say, to stderr.
pub(crate) fn configure(prefixed: bool) {
    if log::set_logger(LINES.get_or_init(|| Lines { prefixed })).is_ok() {
        log::set_max_level(LevelFilter::Info);
        std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    }
}
