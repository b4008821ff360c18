#pragma once

namespace trestle::bench {

/// CPU time that a process and all its threads, also those that ended, have used, in user and system, in
/// seconds: what /proc/PID/stat (proc(5)) shows in ticks of 10 ms, here from the process's CPU clock, in
/// nanoseconds. Throws std::runtime_error if there is no such process.
double cpu_seconds(int pid);

}  // namespace trestle::bench
