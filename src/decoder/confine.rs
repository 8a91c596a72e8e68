//! What the child gives up before it reads a byte: memory, time, files, and nearly every call to the kernel.
//!
//! Two walls, each of which holds alone. **Limits** (`setrlimit`) bound what the child may use up: address space, CPU
//! time, open files, bytes written to files. **A filter** (seccomp) bounds what it may ask for: reading, writing,
//! memory and its own end. Opening a file, a socket, another program or another process is answered with "not
//! permitted", whoever asks. A kernel without filters leaves the limits alone standing, which `docs/decisions/` tells.

use std::collections::BTreeMap;
use std::process;

use rlimit::Resource;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

/// Descriptors that stay open: input, output, errors, and the input once more as a file.
const OPEN_FILES: u64 = 4;

/// What decoding asks of the kernel: all that is allowed.
const CALLS: [i64; 26] = [
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_fcntl,
    // The length of the input; a name in place of a descriptor tells that a file exists, and no more.
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What a process asks on its way to end itself by `abort`.
const OWN_END: [i64; 2] = [libc::SYS_getpid, libc::SYS_gettid];

/// Puts both walls around this process.
///
/// # Errors
/// The sentence of what could not be put up; nothing may be decoded then.
pub(super) fn confine(memory_bytes: u64, cpu_s: u64) -> Result<(), &'static str> {
    let limits = [
        (Resource::AS, memory_bytes, memory_bytes),
        // One second between the signal that names the limit and the one that cannot be caught.
        (Resource::CPU, cpu_s, cpu_s.saturating_add(1)),
        (Resource::CORE, 0, 0),
        (Resource::FSIZE, 0, 0),
        (Resource::NOFILE, OPEN_FILES, OPEN_FILES),
    ];
    for (resource, soft, hard) in limits {
        let (_, most) = resource.get().map_err(|_| "a limit cannot be read")?;
        resource.set(soft.min(most), hard.min(most)).map_err(|_| "a limit cannot be set")?;
    }
    match filter().map(|filter| apply_filter(&filter)) {
        // A kernel that knows no filters says so here.
        Some(Ok(()) | Err(seccompiler::Error::Seccomp(_))) | None => Ok(()),
        Some(Err(_)) => Err("the filter of calls cannot be set"),
    }
}

/// The filter, or `None` on a machine whose calls it cannot name.
fn filter() -> Option<BpfProgram> {
    let plain = CALLS.iter().chain(&OWN_END).map(|call| (*call, Vec::new()));
    let own = u64::from(process::id());
    let itself = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own).ok()?;
    let signal = (libc::SYS_tgkill, vec![SeccompRule::new(vec![itself]).ok()?]);
    let rules: BTreeMap<i64, Vec<SeccompRule>> = plain.chain([signal]).collect();
    let refused = u32::try_from(libc::EPERM).expect("errors are positive");
    let machine = std::env::consts::ARCH.try_into().ok()?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Errno(refused), SeccompAction::Allow, machine);
    filter.ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io;
    use std::net::UdpSocket;
    use std::os::unix::net::UnixStream;
    use std::process::Command;
    use std::thread;

    use super::*;

    /// What a thread is told that tries this behind the filter, which binds the thread alone.
    fn behind_the_filter<T>(attempt: impl Fn() -> io::Result<T> + Send + 'static) -> io::ErrorKind {
        let tried = thread::spawn(move || {
            apply_filter(&filter().unwrap()).unwrap();
            attempt().err().map(|refused| refused.kind())
        });
        tried.join().unwrap().expect("it was allowed")
    }

    #[test]
    fn no_file_socket_process_or_thread_can_be_had_behind_the_filter() {
        let refused = io::ErrorKind::PermissionDenied;
        assert_eq!(behind_the_filter(|| File::open("/dev/null")), refused);
        assert_eq!(behind_the_filter(|| UdpSocket::bind("127.0.0.1:0")), refused);
        assert_eq!(behind_the_filter(UnixStream::pair), refused);
        assert_eq!(behind_the_filter(|| Command::new("/bin/true").spawn()), refused);
        assert_eq!(behind_the_filter(|| thread::Builder::new().spawn(|| ())), refused);
    }
}
