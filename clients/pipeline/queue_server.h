#pragma once
#include <trestle/producer.h>

#include <map>
#include <string>
#include <zmq.hpp>

#include "clients/pipeline/protocol.h"
#include "clients/pipeline/queues.h"

namespace trestle::pipeline {

struct QueueServerOptions {
  std::string listen = kDefaultQueueAddress;
  bool insecure = false;    ///< allow an address that others than this machine can reach
  std::string work_folder;  ///< absolute; tasks get a folder each below it
  bool keep_work = false;   ///< leave the tasks' folders when they have ended
  std::string destination;  ///< URL of the WebDAV folder, ending in '/'
  std::size_t compression_workers = 2, upload_workers = 2;
  std::chrono::milliseconds refresh{
      10'000};  ///< queue-update is repeated that often, for a bridge that lost its memory
  QueuesOptions queues;
};

/// Owns both queues and the socket to the workers; alone publishes queue-update and task-finished.
///
/// Thread: the one that calls run().
/// State:  in memory. Work that had not ended when the queue stops is added again by whoever added it.
/// Errors: the constructor throws CannotStart for an address that can't be bound, with the remedy.
class QueueServer {
 public:
  QueueServer(QueueServerOptions options, Producer& producer);
  /// Serves until stop_requested().
  void run();

 private:
  struct Idle {
    std::string route;  ///< the ROUTER's name for its connection
    Clock::time_point seen;
  };
  void receive();
  void handle(const std::string& route, const ToQueue& message);
  void handle_worker(const std::string& route, const ToQueue& message);
  std::string handle_command(const ToQueue& message);
  std::string add(const std::vector<std::string>& sources);
  void hand_out(Stage stage);
  void send(const std::string& route, const std::string& message);
  void turn();
  void publish_ended();
  void publish_queues();

  QueueServerOptions options_;
  Producer& producer_;
  Queues queues_;
  std::map<std::string, Idle> idle_[2];  ///< by Stage, then worker
  std::size_t completed_ = 0, failed_ = 0;
  Clock::time_point next_refresh_;
  bool bridge_seen_ = false;
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace trestle::pipeline
