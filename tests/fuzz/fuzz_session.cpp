// A client's bytes, whatever they are, through a real session: the HTTP request, the upgrade, frames,
// requests. The input is what comes over the wire; the choices say where it is cut, how reads and writes end,
// and what happens meanwhile.
#include "tests/fuzz/stage.h"

using namespace trestle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  Stage stage(choices);
  auto rest = choices.input();
  while (!rest.empty() && !stage.over()) {
    const auto piece = choices.up_to(255);
    const auto now = rest.substr(0, piece == 0 ? rest.npos : piece);
    rest.remove_prefix(now.size());
    stage.client_sends(now);
    stage.settle();
    stage.meanwhile(choices.up_to(Stage::kMeanwhile));
    stage.settle();
  }
  while (!choices.none_left() && !stage.over()) {
    stage.meanwhile(choices.up_to(Stage::kMeanwhile));
    stage.settle();
  }
  stage.end();
  return 0;
}
