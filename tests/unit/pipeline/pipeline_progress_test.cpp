#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

#include "clients/pipeline/progress.h"
#include "clients/pipeline/terminal_text.h"

using namespace trestle::pipeline;

namespace {

/// What a tool really wrote, byte for byte: 7zz 26.02 with -bsp1, par2 0.8.1, curl 7.88.1 with
/// --progress-bar.
std::string captured(const std::string& name) {
  std::ifstream file(std::string(TRESTLE_SOURCE_DIR) + "/tests/unit/pipeline/captured/" + name,
                     std::ios::binary);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// All readings, fed in chunks of `size` bytes, one space apart; a reading repeated by the next chunk is told
/// once.
std::string readings(ProgressReader reader, const std::string& text, std::size_t size) {
  std::ostringstream out;
  double last = -1;
  for (std::size_t i = 0; i < text.size(); i += size) {
    const auto reading = reader(std::string_view(text).substr(i, size));
    if (!reading || *reading == last) continue;
    out << (last < 0 ? "" : " ") << *reading;
    last = *reading;
  }
  return out.str();
}

std::string show(std::optional<double> percentage) {
  std::ostringstream out;
  percentage ? out << *percentage : out << "nothing";
  return out.str();
}

}  // namespace

TEST_CASE("7z's progress is read from its own output, wherever the chunks are cut") {
  const std::string output = captured("7z.txt");
  for (const std::size_t size : {1, 2, 3, 7, 13}) {
    CAPTURE(size);
    CHECK(readings(read_with(seven_zip_percentage), output, size) == "0 8 32 57 76 95");
  }
  SUBCASE("a chunk with several readings gives the newest") {
    CHECK(readings(read_with(seven_zip_percentage), output, output.size()) == "95");
  }
}

TEST_CASE("7z's pieces") {
  CHECK(show(seven_zip_percentage("  5% + a.bin")) == "5");
  CHECK(show(seven_zip_percentage("100%")) == "100");
  CHECK(show(seven_zip_percentage(" 12% 3 U b.bin")) == "12");
  CHECK(show(seven_zip_percentage("Scanning 5% of it")) == "nothing");
  CHECK(show(seven_zip_percentage(" 12")) == "nothing");
  CHECK(show(seven_zip_percentage("101%")) == "nothing");
  CHECK(show(seven_zip_percentage("")) == "nothing");
}

TEST_CASE("par2's progress is that of the processing, not of the matrix before it") {
  const std::string output = captured("par2.txt");
  for (const std::size_t size : {1, 5, 10}) {
    const std::string all = readings(read_with(par2_percentage), output, size);
    CAPTURE(size);
    CHECK(all.substr(0, 12) == "0.2 0.5 0.8 ");
    CHECK(all.substr(all.size() - 13) == "99.4 99.7 100");
  }
  CHECK(show(par2_percentage("Constructing: 16.6%")) == "nothing");
  CHECK(show(par2_percentage("Processing: 16.")) == "nothing");
}

TEST_CASE("curl's bars are weighed by the files' sizes") {
  const std::string output = captured("curl.txt");
  const auto all = readings(read_uploads({40'400, 12'624'309, 1'408'416}), output, 16);
  CHECK(all.substr(0, 9) == "0.287072 ");
  CHECK(all.substr(all.size() - 4) == " 100");
  SUBCASE("a small file first does not make the whole look done") {
    CHECK(readings(read_uploads({1, 99}), "\r### 100.0%\n", 99) == "1");
  }
  SUBCASE("a bar more than there are files is ignored") {
    CHECK(readings(read_uploads({1}), "\r# 100.0%\n\r# 50.0%\n", 99) == "100");
  }
  SUBCASE("files without a byte") { CHECK(readings(read_uploads({0, 0}), "\r# 100.0%\n", 99) == "0"); }
  SUBCASE("an error line is no progress") {
    CHECK(show(curl_percentage("curl: (7) Failed to connect")) == "nothing");
  }
}

TEST_CASE("a progress gate lets through the first reading, then rising ones at its interval") {
  using namespace std::chrono_literals;
  ProgressGate gate(100ms);
  const ProgressGate::Time start{1h};
  CHECK(gate.admit(0, start));
  CHECK_FALSE(gate.admit(5, start + 99ms));
  CHECK(gate.admit(6, start + 100ms));
  CHECK_FALSE(gate.admit(6, start + 300ms));
  CHECK_FALSE(gate.admit(4, start + 300ms));
  SUBCASE("100 is for the step's end to say") { CHECK_FALSE(gate.admit(100, start + 1s)); }
}

TEST_CASE("terminal text keeps what would stand on a terminal in the end") {
  TerminalText text;
  const auto shown = [&](const std::string& written) {
    text.append(written);
    return text.text();
  };
  SUBCASE("plain lines") { CHECK(shown("one\ntwo\n") == "one\ntwo\n"); }
  SUBCASE("a last line without an end") { CHECK(shown("one\ntwo") == "one\ntwo"); }
  SUBCASE("a carriage return overwrites") { CHECK(shown("10%\r100%\n") == "100%\n"); }
  SUBCASE("what is longer shines through") { CHECK(shown("abcdef\rXY\n") == "XYcdef\n"); }
  SUBCASE("backspaces and blanks wipe") { CHECK(shown("done\n 5%\b\b\b   \b\b\bok\n") == "done\nok\n"); }
  SUBCASE("more backspaces than text") { CHECK(shown("a\b\b\b\bb\n") == "b\n"); }
  SUBCASE("Windows line ends") { CHECK(shown("a\r\nb\r\n") == "a\nb\n"); }
  SUBCASE("7z leaves its messages, not its progress") {
    const std::string all = shown(captured("7z.txt"));
    CHECK(all.find("Everything is Ok") != std::string::npos);
    CHECK(all.find('%') == std::string::npos);
    CHECK(all.find('\b') == std::string::npos);
  }
}

TEST_CASE("a bounded text keeps its beginning and its end") {
  BoundedText text(4, 4);
  SUBCASE("short ones whole") {
    text.append("12345678");
    CHECK(text.text() == "12345678");
  }
  SUBCASE("long ones say how much is missing") {
    text.append("1234");
    text.append(std::string(100, 'x') + "END.");
    CHECK(text.text() == "1234\n[… 100 bytes left out …]\nEND.");
  }
  SUBCASE("whatever the pieces, the bound holds") {
    for (int i = 0; i < 10'000; ++i) text.append("abc");
    CHECK(text.text().size() < 60);
  }
}

TEST_CASE("a line without an end is broken, not kept whole in memory") {
  TerminalText text(1024);
  for (int i = 0; i < 100; ++i) text.append(std::string(10'000, 'x'));
  CHECK(text.text().size() < 10'000);
}
