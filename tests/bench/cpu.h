#pragma once

namespace trestle::bench {

/// CPU time that a process and all its threads have used, in user and system, in seconds: fields 14 and 15
/// of /proc/PID/stat (proc(5)). Its resolution is a clock tick, 10 ms. Throws std::runtime_error if there is
/// no such process.
double cpu_seconds(int pid);

}  // namespace trestle::bench
