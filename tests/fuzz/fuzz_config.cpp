// The configuration's text is hostile here: whatever it is, the answer is settings or one line that says why
// not; and settings, once printed, read back as themselves.
#include <cstdint>
#include <string_view>

#include "bridge/config/config.h"
#include "tests/fuzz/must.h"

using namespace trestle;

namespace {

Result<Settings> parse(std::string_view yaml) {
  const auto no_environment = [](const std::string&) { return std::nullopt; };
  return parse_settings(yaml, "fuzz.yaml", "/folder", no_environment,
                        [] { return std::vector<std::string>{}; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto settings = parse({reinterpret_cast<const char*>(data), size});
  if (!settings) {
    const auto& line = settings.error().message;
    MUST(!line.empty() && line.find('\n') == std::string::npos);
    return 0;
  }
  const auto printed = print_settings(*settings);
  const auto again = parse(printed);
  MUST(again);
  MUST(print_settings(*again) == printed);
  return 0;
}
