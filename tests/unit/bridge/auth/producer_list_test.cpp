#include "bridge/auth/producer_list.h"

#include <doctest/doctest.h>

#include "bridge/auth/producer_watch.h"
#include "tests/unit/bridge/scratch_directory.h"

using namespace trestle;

namespace {

const std::string kKey = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const std::string kOther = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";

std::string complaint(const std::string& text) {
  const auto list = ProducerList::parse(text, "p.yaml");
  return list ? "none, " + std::to_string(list->size()) + " producers" : list.error().message;
}
/// Of one producer with these further lines; its first line is the file's second.
std::string complaint_of(const std::string& lines) {
  return complaint("producers:\n  - name: worker\n    key: \"" + kKey + "\"\n" + lines);
}

}  // namespace

TEST_CASE("a listed key is found with what it allows") {
  const auto list = ProducerList::parse(
      "producers:\n"
      "  - {name: worker-1, key: \"" +
          kKey +
          "\", ids: [worker-1, \"w-*\"], topics: [\"progress.*\", done]}\n"
          "  - {name: any, key: \"" +
          kOther + "\"}\n",
      "p.yaml");
  REQUIRE(list);
  CHECK(list->size() == 2);
  CHECK(list->find(std::string(40, '0')) == nullptr);
  CHECK(list->find("") == nullptr);
  const auto* grant = list->find(kKey);
  REQUIRE(grant != nullptr);
  CHECK(grant->name == "worker-1");
  for (const auto* id : {"worker-1", "w-", "w-7"}) CHECK(grant->allows_id(id));
  for (const auto* id : {"worker-", "worker-11", "w", "", "x-w-"}) CHECK_FALSE(grant->allows_id(id));
  CHECK(grant->allows_topic("progress.7"));
  CHECK(grant->allows_topic("done"));
  for (const auto* topic : {"progress", "progress.7.8", "done.7", "other"})
    CHECK_FALSE(grant->allows_topic(topic));
  const auto* any = list->find(kOther);
  REQUIRE(any != nullptr);
  CHECK(any->allows_id("whoever"));
  CHECK(any->allows_topic("what.ever"));
}

TEST_CASE("an empty list is one that lets nobody in, an empty file is a mistake") {
  CHECK(complaint("producers: []") == "none, 0 producers");
  CHECK(complaint("") == "p.yaml:1:1: a list of producers has one key, producers");
  CHECK(complaint("producers:") ==
        "p.yaml:1:1: producers must be a list; write producers: [] to let nobody in");
}

TEST_CASE("what is wrong with a list is said with its line") {
  CHECK(complaint_of("") == "none, 1 producers");
  CHECK(complaint("- a") == "p.yaml:1:1: a list of producers has one key, producers");
  CHECK(complaint("producers: []\nmore: 1") == "p.yaml:1:1: a list of producers has one key, producers");
  CHECK(complaint("producers:\n  - worker") == "p.yaml:2:5: a producer must be a map with name and key");
  CHECK(complaint("producers:\n  - name: worker") == "p.yaml:2:5: a producer needs a name and a key");
  CHECK(complaint("producers:\n  - name: [a]") == "p.yaml:2:11: name must be a text of one line");
  CHECK(complaint("producers:\n  - key: abc") ==
        "p.yaml:2:10: key must be a public key: 40 characters in double quotes, as `trestle keygen` prints "
        "them");
  CHECK(complaint_of("    id: x") == "p.yaml:4:5: unknown key \"id\" (name, key, ids, topics)");
  CHECK(complaint_of("    ids: []") ==
        "p.yaml:4:10: ids must be a list of at least one; leave the key out to allow all");
  CHECK(complaint_of("    topics:").find("p.yaml:4:") == 0);
  CHECK(complaint_of("    ids: worker") ==
        "p.yaml:4:10: ids must be a list of at least one; leave the key out to allow all");
  CHECK(complaint_of("    ids: [a, \"b c\"]") ==
        "p.yaml:4:14: \"b c\" is no producer id: at most 64 of A-Z a-z 0-9 _ -, and at the end perhaps a *");
  CHECK(complaint_of("    ids: [\"*\"]").find("is no producer id") != std::string::npos);
  CHECK(complaint_of("    topics: [\"a..b\"]").find("p.yaml:4:14: ") == 0);
  CHECK(complaint_of("  - {name: worker, key: \"" + kOther + "\"}") ==
        "p.yaml:4:5: the name \"worker\" is there twice: give each producer its own");
  CHECK(complaint_of("  - {name: two, key: \"" + kKey + "\"}") ==
        "p.yaml:4:5: the key \"" + kKey + "\" is there twice: give each producer its own");
  CHECK(complaint_of("    name: again").find("p.yaml:4:5: ") == 0);
  const auto missing = ProducerList::load("/nowhere/p.yaml");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("/nowhere/p.yaml") != std::string::npos);
}

TEST_CASE("a list that changes is taken once it has settled, and a broken one leaves the one before") {
  const ScratchDirectory scratch;
  const auto path = scratch.write("p.yaml", "producers: [{name: a, key: \"" + kKey + "\"}]");
  const auto opened = ProducerWatch::open(path);
  REQUIRE(opened);
  auto& watch = **opened;
  FileWatch::Time now{};
  const auto look = [&] { watch.look(now += FileWatch::kPatience / 2); };
  CHECK(watch.current()->find(kKey) != nullptr);

  scratch.write("new", "producers: []");
  std::filesystem::rename(scratch.file("new"), path);
  look();
  CHECK(watch.current()->size() == 1);
  look();
  CHECK(watch.current()->size() == 0);

  scratch.write("p.yaml", "producers: [");
  look();
  look();
  CHECK(watch.trouble().find("p.yaml:1:") != std::string::npos);
  CHECK(watch.current()->size() == 0);
  std::filesystem::remove(path);
  watch.reload();
  CHECK(watch.trouble().find("No such file") != std::string::npos);

  scratch.write("p.yaml", "producers: [{name: b, key: \"" + kOther + "\"}]");
  watch.reload();
  CHECK(watch.trouble().empty());
  CHECK(watch.current()->find(kOther) != nullptr);
}

TEST_CASE("a list that keeps changing is taken all the same, but not a half of it") {
  const ScratchDirectory scratch;
  const auto line = [](const std::string& name, const std::string& key) {
    return "  - {name: " + name + ", key: \"" + key + "\"}\n";
  };
  const auto path = scratch.write("p.yaml", "producers:\n" + line("a", kKey) + line("b", kOther));
  const auto opened = ProducerWatch::open(path);
  REQUIRE(opened);
  FileWatch::Time now{};
  std::string changes;
  const auto write_thrice = [&](const std::string& text) {
    for (int i = 0; i < 3; ++i) {
      scratch.write("p.yaml", (changes += "#\n") + text);
      (*opened)->look(now += FileWatch::kPatience / 2);
    }
  };
  write_thrice("producers:\n  - {name: b");
  CHECK((*opened)->current()->size() == 2);
  CHECK((*opened)->trouble().empty());
  write_thrice("producers:\n" + line("b", kOther));
  CHECK((*opened)->current()->size() == 1);
  CHECK((*opened)->current()->find(kKey) == nullptr);
}
