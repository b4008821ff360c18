#include <trestle/producer.h>

#include <iostream>

// Publishes one event to the bridge whose two addresses are given, and says what became of it.
int main(int argc, char** argv) {
  if (argc != 3) {
    std::cout << trestle::topic_of("task-finished", "a.b") << "\n";
    return 0;
  }
  trestle::ProducerOptions options;
  options.id = "outside";
  options.bridges = {{argv[1], argv[2]}};
  trestle::Producer producer(options);
  producer.publish(R"({"type":"outside","ok":true})");
  const trestle::Flushed flushed = producer.flush(std::chrono::seconds(5));
  std::cout << (flushed.complete ? "acked" : flushed.why) << "\n";
  return flushed.complete ? 0 : 1;
}
