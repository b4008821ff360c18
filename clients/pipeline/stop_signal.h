#pragma once

namespace trestle::pipeline {

/// SIGTERM and SIGINT become a flag; SIGPIPE is ignored. Call catch_stop_signals() once, early in main().
/// Loops look at stop_requested() at least every 250 ms: a signal may be taken by a thread that is not
/// waiting.
void catch_stop_signals();
bool stop_requested();

}  // namespace trestle::pipeline
