#include <rapidjson/document.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "clients/cli/pretty.h"
#include "clients/cli/status.h"

namespace trestle::cli {
namespace {

using rapidjson::Value;
using Row = std::vector<std::string>;

const Value* member(const Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string text_at(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr && value->IsString() ? harmless({value->GetString(), value->GetStringLength()})
                                               : "";
}

double number_at(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr && value->IsNumber() ? value->GetDouble() : 0;
}

/// 1234567 as 1,234,567.
std::string whole(double number) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.0f", number);
  std::string text = digits;
  for (std::size_t at = text.size(); at > 3 && text[at - 4] != '-';) text.insert(at -= 3, ",");
  return text;
}

std::string bytes(double number) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; number >= 1024 && unit + 1 < std::size(kUnits); ++unit) number /= 1024;
  char text[64];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", number, kUnits[unit]);
  return text;
}

std::string duration(double seconds) {
  char text[64];
  const auto all = static_cast<long long>(std::max(seconds, 0.0));
  if (all < 60) {
    std::snprintf(text, sizeof text, "%.1f s", std::max(seconds, 0.0));
  } else if (all < 3600) {
    std::snprintf(text, sizeof text, "%lld min %lld s", all / 60, all % 60);
  } else if (all < 86'400) {
    std::snprintf(text, sizeof text, "%lld h %lld min", all / 3600, all / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld d %lld h", all / 86'400, all / 3600 % 24);
  }
  return text;
}

std::size_t columns(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Left-aligned columns as wide as they need to be. Nothing if there are no rows below the heading.
std::string table(const std::vector<Row>& rows) {
  if (rows.size() < 2) return "";
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line = "  ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - columns(row[i]) + 2, ' ');
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

template <class MakeRow>
std::vector<Row> rows_of(const Value& data, const char* name, Row heading, MakeRow make_row) {
  std::vector<Row> rows{std::move(heading)};
  const Value* list = member(data, name);
  if (list == nullptr || !list->IsArray()) return rows;
  for (const Value& item : list->GetArray()) rows.push_back(make_row(item));
  return rows;
}

std::string joined(const Value& item, const char* name) {
  std::string text;
  const Value* list = member(item, name);
  if (list == nullptr || !list->IsArray()) return text;
  for (const Value& one : list->GetArray()) {
    if (one.IsString())
      text += (text.empty() ? "" : ",") + harmless({one.GetString(), one.GetStringLength()});
  }
  return text;
}

std::string head(const Value& data) {
  return "trestled " + text_at(data, "version") + ", " + text_at(data, "state") + ", up " +
         duration(number_at(data, "uptime_s")) + "; epoch " + text_at(data, "epoch") + ", offset " +
         whole(number_at(data, "offset")) + "\n";
}

std::string rates(const Value& data) {
  const Value* found = member(data, "rates");
  if (found == nullptr) return "";
  return "now: " + whole(number_at(*found, "events_in")) + " events/s in, " +
         whole(number_at(*found, "deliveries")) + " deliveries/s, " + bytes(number_at(*found, "bytes_out")) +
         "/s out\n";
}

std::string trouble(const std::string& with, const Value& object) {
  const auto text = text_at(object, "trouble");
  return text.empty() ? "" : "trouble with " + with + ": " + text + "\n";
}

/// What an operator has to mend; usually nothing.
std::string troubles(const Value& data) {
  auto text = trouble("the journal", data);
  for (const char* part : {"auth", "tls", "curve"}) {
    if (const Value* found = member(data, part)) text += trouble(part, *found);
  }
  return text;
}

/// A heading with the whole number, since the lists themselves are cut by the bridge, and the table.
std::string section(const std::string& name, double total, const std::vector<Row>& rows) {
  const auto shown = static_cast<double>(rows.size() - 1);
  std::string heading = "\n" + name + ": " + whole(std::max(total, shown));
  if (total > shown) heading += " (the first " + whole(shown) + " shown)";
  return heading + "\n" + table(rows);
}

std::string sessions(const Value& data, Micros now) {
  const auto rows =
      rows_of(data, "sessions",
              {"ID", "ADDRESS", "WHO", "ENDPOINT", "FORMAT", "TOPICS", "FOR", "SENT", "BYTES", "QUEUED"},
              [&](const Value& item) {
                const Value* meta = member(item, "meta");
                const bool has_meta = meta != nullptr && meta->IsTrue();
                const double age = (static_cast<double>(now) - number_at(item, "since")) / 1e6;
                return Row{text_at(item, "id"),
                           text_at(item, "address"),
                           text_at(item, "identity"),
                           text_at(item, "endpoint"),
                           text_at(item, "format") + (has_meta ? "+meta" : ""),
                           joined(item, "topics"),
                           duration(age),
                           whole(number_at(item, "sent")),
                           bytes(number_at(item, "bytes")),
                           bytes(number_at(item, "queued"))};
              });
  return section("sessions", number_at(data, "sessions_total"), rows);
}

std::string producers(const Value& data) {
  const auto rows = rows_of(
      data, "producers", {"ID", "STATE", "SEQ", "EVENTS", "LOST", "LAST SEEN"}, [](const Value& item) {
        const bool seen = member(item, "last_seen_ms") != nullptr;
        return Row{text_at(item, "id"),
                   text_at(item, "state"),
                   whole(number_at(item, "seq")),
                   whole(number_at(item, "events")),
                   whole(number_at(item, "lost")),
                   seen ? duration(number_at(item, "last_seen_ms") / 1000) + " ago" : "-"};
      });
  return section("producers", number_at(data, "producers_total"), rows);
}

std::string topics(const Value& data, Micros now) {
  const auto rows = rows_of(data, "topics", {"TOPIC", "OFFSET", "AGE"}, [&](const Value& item) {
    return Row{text_at(item, "topic"), whole(number_at(item, "offset")),
               duration((static_cast<double>(now) - number_at(item, "time")) / 1e6)};
  });
  return section("latest topics", number_at(data, "topics_total"), rows);
}

/// Members of an object that are not zero.
std::string counts(const Value& data, const char* name, const std::string& heading) {
  const Value* found = member(data, name);
  if (found == nullptr || !found->IsObject()) return "";
  std::vector<Row> rows{{"", ""}};
  for (const auto& [key, value] : found->GetObject()) {
    if (value.IsNumber() && value.GetDouble() > 0) {
      rows.push_back({harmless({key.GetString(), key.GetStringLength()}), whole(value.GetDouble())});
    }
  }
  if (rows.size() == 1) return "\n" + heading + ": none\n";
  const std::string text = table(rows);
  return "\n" + heading + ":\n" + text.substr(text.find('\n') + 1);
}

}  // namespace

Result<std::string> status_text(std::string_view json, Micros now) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  const Value* data = document.HasParseError() ? nullptr : member(document, "data");
  if (data == nullptr || member(*data, "epoch") == nullptr) {
    return Error{"the answer is not a status"};
  }
  return head(*data) + rates(*data) + troubles(*data) + sessions(*data, now) + producers(*data) +
         topics(*data, now) + counts(*data, "counters", "since start") +
         counts(*data, "rejections", "rejected");
}

}  // namespace trestle::cli
