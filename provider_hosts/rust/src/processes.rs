//! Processes that the author's code started: none outlives the sidecar. And what belongs to the process as a whole.

use std::collections::HashSet;
use std::fs;

/// Keeps other processes of the same user from reading this one's memory; root still can.
pub(crate) fn hide_memory() {
    #[cfg(target_os = "linux")]
    // SAFETY: takes numbers alone, and touches nothing of ours.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}

/// Makes this process the leader of a group of its own, so that its children can be told apart.
pub(crate) fn lead_group() {
    // SAFETY: both take numbers alone.
    unsafe {
        if libc::getpgrp() != libc::getpid() {
            libc::setpgid(0, 0);
        }
    }
}

/// Makes files for this user alone until the guard goes.
pub(crate) fn private_files() -> impl Drop {
    struct Before(libc::mode_t);
    impl Drop for Before {
        fn drop(&mut self) {
            // SAFETY: takes a number alone.
            unsafe { libc::umask(self.0) };
        }
    }
    // SAFETY: takes a number alone.
    Before(unsafe { libc::umask(0o077) })
}

/// Kills every process of our group and all that descend from us, also those that left the group.
pub(crate) fn kill_children() {
    for _ in 0..3 {
        // One that forks meanwhile is seen the next time.
        let children = children();
        for pid in &children {
            // SAFETY: takes numbers alone.
            unsafe { libc::kill(*pid, libc::SIGKILL) };
        }
        if children.is_empty() {
            return;
        }
    }
}

fn children() -> Vec<i32> {
    let me = std::process::id() as i32;
    // SAFETY: takes nothing.
    let group = unsafe { libc::getpgrp() };
    let all: Vec<_> = processes();
    let mut family = HashSet::from([me]);
    loop {
        let before = family.len();
        for (pid, parent, of) in &all {
            if family.contains(parent) || (group == me && *of == group) {
                family.insert(*pid);
            }
        }
        if family.len() == before {
            break;
        }
    }
    family.remove(&me);
    family.into_iter().collect()
}

/// (pid, parent, group) of living processes; none where there is no /proc.
fn processes() -> Vec<(i32, i32, i32)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            let pid = name.to_str()?.parse().ok()?;
            let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
            let stat = String::from_utf8_lossy(&stat);
            let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
            let state = fields.next()?;
            let (parent, group) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            (state != "Z" && state != "X").then_some((pid, parent, group))
        })
        .collect()
}
