#include "bridge/front/http.h"

#include <doctest/doctest.h>

using namespace trestle;

namespace {
bool has_line(const std::string& bytes, const std::string& line) {
  return bytes.substr(0, bytes.find("\r\n\r\n") + 2).find("\r\n" + line + "\r\n") != std::string::npos;
}
}  // namespace

TEST_CASE("an answer carries its status, type, length and the headers that keep browsers honest") {
  const auto bytes = encode({200, "application/json", "{}", "X-More: 1\r\n"}, false, {});
  CHECK(bytes.compare(0, 17, "HTTP/1.1 200 OK\r\n") == 0);
  CHECK(has_line(bytes, "Content-Type: application/json"));
  CHECK(has_line(bytes, "Content-Length: 2"));
  CHECK(has_line(bytes, "Connection: close"));
  CHECK(has_line(bytes, "X-Content-Type-Options: nosniff"));
  CHECK(has_line(bytes, "X-Frame-Options: DENY"));
  CHECK(has_line(bytes, "Referrer-Policy: no-referrer"));
  CHECK(has_line(bytes, "Cache-Control: no-store"));
  CHECK(has_line(bytes, "X-More: 1"));
  CHECK(bytes.find("\r\nContent-Security-Policy: default-src 'none'; ") != std::string::npos);
  CHECK(bytes.substr(bytes.size() - 6) == "\r\n\r\n{}");
}

TEST_CASE("over TLS browsers are told to stay there, if that is wanted") {
  const HttpResponse response{200, "text/plain", "", ""};
  CHECK(has_line(encode(response, false, std::chrono::hours(1)), "Strict-Transport-Security: max-age=3600"));
  CHECK(encode(response, false, {}).find("Strict-Transport-Security") == std::string::npos);
}

TEST_CASE("HEAD gets the same headers and no body") {
  const HttpResponse response{200, "text/plain; charset=utf-8", "body", ""};
  const auto whole = encode(response, false, {});
  CHECK(encode(response, true, {}) == whole.substr(0, whole.size() - 4));
}

TEST_CASE("every status that is sent has its phrase") {
  for (const auto& [status, phrase] : {std::pair<int, const char*>{200, "OK"},
                                       {400, "Bad Request"},
                                       {401, "Unauthorized"},
                                       {403, "Forbidden"},
                                       {404, "Not Found"},
                                       {405, "Method Not Allowed"},
                                       {411, "Length Required"},
                                       {413, "Content Too Large"},
                                       {426, "Upgrade Required"},
                                       {429, "Too Many Requests"},
                                       {431, "Request Header Fields Too Large"},
                                       {503, "Service Unavailable"}}) {
    const auto line = "HTTP/1.1 " + std::to_string(status) + " " + phrase + "\r\n";
    CHECK(encode({status, "text/plain", "", ""}, false, {}).compare(0, line.size(), line) == 0);
  }
}

TEST_CASE("an error is an envelope as on the WebSocket") {
  const auto response = http_error(404, "not_found", "there is \"nothing\" here");
  CHECK(response.status == 404);
  CHECK(response.type == "application/json");
  CHECK(response.body ==
        "{\"success\":false,\"data\":{\"type\":\"error\",\"code\":\"not_found\","
        "\"message\":\"there is \\\"nothing\\\" here\"}}\n");
}

TEST_CASE("the page is told the listener's endpoints, and which of them want a token") {
  const std::vector<EndpointSettings> endpoints{{"/", Form::envelope, true}, {"/a\"b", Form::bare, false}};
  const auto response = endpoint_list(endpoints, true);
  CHECK(response.status == 200);
  CHECK(response.type == "application/json");
  CHECK(response.body ==
        "{\"endpoints\":[{\"path\":\"/\",\"token\":true},{\"path\":\"/a\\\"b\",\"token\":false}]}\n");
  CHECK(endpoint_list({endpoints[0]}, false).body == "{\"endpoints\":[{\"path\":\"/\",\"token\":false}]}\n");
}

TEST_CASE("the page is compiled in, with its types") {
  CHECK(page_file("/").status == 200);
  CHECK(page_file("/").type == "text/html; charset=utf-8");
  CHECK(page_file("/").body == page_file("/index.html").body);
  CHECK(page_file("/").body.find("<html") != std::string::npos);
  CHECK(page_file("/nothing").status == 404);
  CHECK(page_file("").status == 404);
  CHECK(page_file("/../index.html").status == 404);
  CHECK(page_file("/index.html/").status == 404);
}
