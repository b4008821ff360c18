#pragma once
#include <cstddef>
#include <filesystem>

namespace trestle::bench {

/// What all measurements share. Each starts a trestled of its own for every figure, prints its figures, and
/// throws std::runtime_error when trestled does not do what it should.
struct Run {
  std::filesystem::path trestled;
  std::size_t repeat = 3;  ///< times; the median is printed
  double scale = 1;        ///< of the numbers of events; below 1 for a quick look
};

/// Events taken in per CPU-second of trestled in the steady state, with the journal and without.
void measure_ingest(const Run& run);
/// What the journal adds to the delivery latency at 1,000 events/s.
void measure_latency(const Run& run);
/// How fast one client gets 100,000 events back.
void measure_resume(const Run& run);
/// How soon trestled serves again with a journal of 1,000,000 events.
void measure_restart(const Run& run);
/// What trestle::Producer::publish costs its caller.
void measure_publish(const Run& run);

}  // namespace trestle::bench
