#pragma once
#include <chrono>
#include <string>

#include "clients/pipeline/protocol.h"
#include "proto/result.h"

namespace trestle::pipeline {

/// Sends one request to the queue and returns its answer (JSON). Errors: none came in time, or the answer is
/// an error.
Result<std::string> ask_queue(const std::string& address, const ToQueue& request,
                              std::chrono::milliseconds timeout);

/// The answer to `list`, for people.
std::string list_for_people(const std::string& list_json);

/// Waits until no task is unfinished. Returns how many failed since the queue started.
/// Errors: as ask_queue, or `timeout` went by first, or a stop signal came.
Result<std::size_t> drain_queue(const std::string& address, std::chrono::milliseconds timeout);

}  // namespace trestle::pipeline
