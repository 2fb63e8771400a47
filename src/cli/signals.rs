//! Settings of Unix's signals besides the clean stop ([`super::interrupt`]); other systems have none.

/// Makes a write beyond the limit on the size of files fail with an error that can be reported. By default a signal
/// would end the process in the middle of a file.
pub fn report_file_size_limit() {
    #[cfg(unix)]
    unix::ignore(&[libc::SIGXFSZ]);
}

/// The stop signals that were already ignored when the process started: `nohup` ignores SIGHUP, and a shell script
/// ignores SIGINT for what it starts with `&`.
pub fn ignored_stops() -> Vec<i32> {
    #[cfg(unix)]
    return unix::ignored(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP]);
    #[cfg(not(unix))]
    Vec::new()
}

/// Ignores `signals`.
pub fn ignore(signals: &[i32]) {
    #[cfg(unix)]
    unix::ignore(signals);
    #[cfg(not(unix))]
    let _ = signals;
}

#[cfg(unix)]
#[allow(unsafe_code)]
mod unix {
    use std::ptr;

    pub fn ignore(signals: &[i32]) {
        for &signal in signals {
            // SAFETY: it installs no function, which would have to be safe within a signal.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
    }

    pub fn ignored(signals: &[i32]) -> Vec<i32> {
        let is_ignored = |&signal: &i32| {
            // SAFETY: zeros are a valid value of this plain struct, which the call fills in; it changes nothing.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let known = libc::sigaction(signal, ptr::null(), &raw mut action) == 0;
                known && action.sa_sigaction == libc::SIG_IGN
            }
        };
        signals.iter().copied().filter(is_ignored).collect()
    }
}
