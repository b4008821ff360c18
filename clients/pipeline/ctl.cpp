#include "clients/pipeline/ctl.h"

#include <algorithm>
#include <sstream>
#include <thread>
#include <zmq.hpp>

#include "clients/pipeline/json.h"
#include "clients/pipeline/stop_signal.h"

namespace trestle::pipeline {
namespace {

using namespace std::chrono_literals;

void show_tasks(std::ostream& out, const rapidjson::Value& queues, const char* name) {
  const auto* tasks = member(queues, name);
  if (tasks == nullptr || !tasks->IsArray()) return;
  for (const auto& task : tasks->GetArray()) {
    out << "  " << text_in(task, "status").value_or("?") << "  " << text_in(task, "id").value_or("?") << "  "
        << text_in(task, "name").value_or("?");
    const std::string worker = text_in(task, "worker").value_or("");
    if (!worker.empty()) out << "  (" << worker << ")";
    out << "\n";
  }
}

}  // namespace

Result<std::string> ask_queue(const std::string& address, const ToQueue& request,
                              std::chrono::milliseconds timeout) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  std::string answer;
  try {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::ipv6, true);
    socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(timeout.count()));
    socket.connect(address);
    socket.send(zmq::buffer(encode(request)), zmq::send_flags::none);
    zmq::message_t frame;
    if (!socket.recv(frame)) {
      return Error{"no answer from " + address +
                   ". Is trestle-queue running there? --queue chooses another address"};
    }
    answer = frame.to_string();
  } catch (const zmq::error_t& error) {
    return Error{address + ": " + error.what()};
  }
  rapidjson::Document document;
  document.Parse(answer.data(), answer.size());
  if (!document.IsObject()) return Error{address + " does not speak the queue's protocol"};
  if (text_in(document, "type") == "error")
    return Error{text_in(document, "message").value_or("unknown error")};
  return answer;
}

std::string list_for_people(const std::string& list_json) {
  rapidjson::Document list;
  list.Parse(list_json.data(), list_json.size());
  const auto* queues = list.IsObject() ? member(list, "queues") : nullptr;
  if (queues == nullptr || !queues->IsObject()) return list_json + "\n";
  std::ostringstream out;
  for (const Stage stage : kStages) {
    const std::string name(name_of(stage));
    out << name << (flag_in(*queues, (name + "Active").c_str()) ? "" : " (paused)") << "\n";
    show_tasks(out, *queues, (name + "RunningConfigs").c_str());
    show_tasks(out, *queues, (name + "QueuedConfigs").c_str());
  }
  out << integer_in(list, "unfinished").value_or(0) << " unfinished, "
      << integer_in(list, "completed").value_or(0) << " completed, " << integer_in(list, "failed").value_or(0)
      << " failed\n";
  return out.str();
}

Result<std::size_t> drain_queue(const std::string& address, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!stop_requested()) {
    const auto answer = ask_queue(address, ToQueue{}, 5s);
    if (!answer) return answer.error();
    rapidjson::Document list;
    list.Parse(answer->data(), answer->size());
    const auto unfinished = integer_in(list, "unfinished").value_or(0);
    if (unfinished == 0) return integer_in(list, "failed").value_or(0);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error{std::to_string(unfinished) + " tasks are still unfinished"};
    }
    std::this_thread::sleep_for(200ms);
  }
  return Error{"interrupted"};
}

}  // namespace trestle::pipeline
