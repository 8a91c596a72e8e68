//! The system's wish that this process end: Ctrl-C, or what a service manager sends.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Returns when the process is asked to end.
pub async fn asked() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Ctrl-C alone is left.
        return drop(tokio::signal::ctrl_c().await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

/// Returns when the part of the process that holds the sender says so, or is gone.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
