#include "clients/cli/http_get.h"

#include <curl/curl.h>

#include <memory>

#include "clients/cli/advice.h"
#include "clients/cli/exit_code.h"

namespace trestle::cli {
namespace {

constexpr std::size_t kMaxBody = 64 * 1024 * 1024;

std::size_t append(char* data, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  if (text.size() + size * count > kMaxBody) return 0;
  text.append(data, size * count);
  return size * count;
}

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

HttpAnswer http_get(const std::string& url, const std::string& token, const std::string& ca_file) {
  const std::unique_ptr<CURL, CurlDeleter> curl(curl_easy_init());
  if (!curl) throw Failure(Exit::failed, "libcurl cannot be initialised");
  std::unique_ptr<curl_slist, CurlDeleter> headers;
  if (!token.empty()) headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + token).c_str()));
  HttpAnswer answer;
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "trestle");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 10L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  if (!ca_file.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca_file.c_str());
  if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK) {
    const std::string words = *reason != '\0' ? reason : curl_easy_strerror(code);
    if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
      throw Failure(Exit::failed, "what answers at " + url + " does not speak HTTP: " + kNoTrestle);
    throw Failure(Exit::failed, "no answer from " + url + ": " + words);
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace trestle::cli
