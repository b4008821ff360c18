#include "bridge/front/http.h"

#include <algorithm>

#include "bridge/front/embedded_files.h"
#include "proto/json_text.h"
#include "proto/request.h"

namespace trestle {
namespace {

std::string_view phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 426: return "Upgrade Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

constexpr std::string_view kCommonHeaders =
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cache-Control: no-store\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string_view type_of(std::string_view path) {
  if (ends_with(path, ".html")) return "text/html; charset=utf-8";
  if (ends_with(path, ".css")) return "text/css; charset=utf-8";
  if (ends_with(path, ".js")) return "text/javascript; charset=utf-8";
  if (ends_with(path, ".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

}  // namespace

std::string encode(const HttpResponse& response, bool head_only, std::chrono::seconds hsts) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(phrase(response.status)).append("\r\nContent-Type: ").append(response.type);
  out.append("\r\nContent-Length: ").append(std::to_string(response.body.size()));
  out.append("\r\nConnection: close").append(response.status == 426 ? ", Upgrade\r\n" : "\r\n");
  if (hsts.count() > 0) {
    out.append("Strict-Transport-Security: max-age=").append(std::to_string(hsts.count())).append("\r\n");
  }
  out.append(kCommonHeaders).append(response.extra_headers).append("\r\n");
  if (!head_only) out.append(response.body);
  return out;
}

HttpResponse http_error(int status, std::string_view code, std::string_view message) {
  return {status, "application/json", error_reply({"", std::string(code), std::string(message)}) + "\n", ""};
}

HttpResponse upgrade_required(std::string_view message) {
  auto response = http_error(426, "upgrade_required", message);
  response.extra_headers = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  return response;
}

HttpResponse busy(int status, std::chrono::milliseconds come_back_after) {
  auto response = http_error(status, status == 429 ? "too_many" : "busy", "come back later");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(come_back_after).count();
  response.extra_headers = "Retry-After: " + std::to_string(seconds) + "\r\n";
  return response;
}

HttpResponse page_file(std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto& files = embedded_files();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.path == path; });
  if (found == files.end()) return http_error(404, "not_found", "there is nothing at this path");
  return {200, type_of(path), std::string(found->content), ""};
}

HttpResponse endpoint_list(const std::vector<EndpointSettings>& endpoints, bool authority_enabled) {
  std::string json = "{\"endpoints\":[";
  for (const auto& endpoint : endpoints) {
    if (json.back() != '[') json += ',';
    json += "{\"path\":";
    append_json_string(json, endpoint.path);
    json += endpoint.auth && authority_enabled ? ",\"token\":true}" : ",\"token\":false}";
  }
  return {200, "application/json", json + "]}\n", ""};
}

}  // namespace trestle
