#include "framework/trace/failure_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "framework/trace/json.hpp"
#include "framework/trace/json_field.hpp"

namespace forkloom {
namespace {

constexpr const char* mark = "forkloom_failure";
constexpr unsigned format_version = 1;

nlohmann::json parse(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw usage_error(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  if (std::filesystem::is_directory(path))
    throw usage_error(fmt::format("cannot read {}: it is a directory", path.string()));
  auto json = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded() || !json.is_object() || !json.contains(mark))
    throw usage_error(
        fmt::format("{} is not a failure file: those are JSON with \"{}\", and "
                    "`forkloom run --save DIR` makes them",
                    path.string(), mark));
  return json;
}

void require_version(const nlohmann::json& json) {
  const auto version = json_field::integer_at<unsigned>(json, mark);
  if (version != format_version)
    json_field::refuse(mark, fmt::format("is {}, but this forkloom reads {}: use the forkloom that "
                                         "made the file",
                                         version, format_version));
}

}  // namespace

void save_failure(const std::filesystem::path& path, const failure_file& failure) {
  nlohmann::json json{{mark, format_version},
                      {"token", failure.token},
                      {"scenario", failure.scenario},
                      {"violations", failure.violations},
                      {"trace", failure.what_happened}};
  if (failure.programs) json["programs"] = *failure.programs;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  file.close();
  if (!file)
    throw internal_error(
        fmt::format("cannot write the failure file {}: {}", path.string(), std::strerror(errno)));
}

failure_file load_failure(const std::filesystem::path& path) {
  const auto json = parse(path);
  try {
    require_version(json);
    failure_file failure;
    failure.token = json_field::text_at(json, "token");
    failure.scenario = json_field::text_at(json, "scenario");
    failure.violations = json_field::elements_at(
        json, "violations", [](const auto& value) { return value.template get<violation>(); });
    failure.what_happened = json_field::at(json, "trace").get<trace>();
    if (json.contains("programs")) failure.programs = json.at("programs").get<program_run>();
    return failure;
  } catch (const usage_error& error) {
    throw usage_error(fmt::format("{}: {}", path.string(), error.what()));
  }
}

}  // namespace forkloom
