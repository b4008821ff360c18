#include <trestle/producer.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>

// A producer that the fault tests command, line by line, and that says what was acked, so that a test knows
// it after a kill -9.
//
//   trestle-test-source ID LIFE EVENTS CONTROL BUFFER block|drop
//
//   burst COUNT PAD   publish COUNT events {"type":"seq","p":ID,"life":LIFE,"n":…,"pad":…}, n from 1 on; then
//   it says
//                     `published N`
//   flush             wait until all of it is acked, then it says `acked N` and ` A-B` for each range that
//   was lost
//
// The end of its input ends it, with a `bye`.
namespace {

class Source {
 public:
  Source(const trestle::ProducerOptions& options, const std::string& life)
      : head_(R"({"type":"seq","p":")" + options.id + R"(","life":)" + life + R"(,"n":)"),
        producer_(options) {}

  void burst(std::size_t count, std::size_t pad) {
    const std::string tail = R"(,"pad":")" + std::string(pad, 'x') + "\"}";
    for (std::size_t i = 0; i < count; ++i) producer_.publish(head_ + std::to_string(++published_) + tail);
    std::cout << "published " << published_ << std::endl;
  }

  void flush() {
    const auto flushed = producer_.flush(std::chrono::minutes(10));
    if (!flushed.complete) throw std::runtime_error(flushed.why);
    std::cout << "acked " << published_;
    for (const auto& [from, to] : flushed.lost) std::cout << ' ' << from << '-' << to;
    std::cout << std::endl;
  }

 private:
  const std::string head_;
  trestle::Producer producer_;
  std::size_t published_ = 0;
};

void obey(Source& source, const std::string& line) {
  std::istringstream words(line);
  std::string command;
  std::size_t count = 0, pad = 0;
  words >> command >> count >> pad;
  if (command == "burst") return source.burst(count, pad);
  if (command == "flush") return source.flush();
  throw std::invalid_argument("no such command: " + line);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: trestle-test-source ID LIFE EVENTS CONTROL BUFFER block|drop\n";
    return 2;
  }
  trestle::ProducerOptions options;
  options.id = argv[1];
  options.bridges = {{argv[3], argv[4]}};
  options.buffer_events = std::strtoul(argv[5], nullptr, 10);
  options.when_full =
      argv[6] == std::string("drop") ? trestle::WhenFull::drop_oldest : trestle::WhenFull::block;
  try {
    Source source(options, argv[2]);
    for (std::string line; std::getline(std::cin, line);) obey(source, line);
  } catch (const std::exception& error) {
    std::cerr << "trestle-test-source: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
