#include <weir/net/output/output_folder.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <weir/net/output/text.hpp>

namespace weir {

using namespace std::string_literals;

namespace {

/// `.weir-0123456789abcdef-client.part`; `try_number` from the second on before the end.
std::string temporary_name(std::uint64_t session_id, side s, unsigned try_number) {
  std::string name = ".weir-";
  append_hex(session_id, name);
  name += '-';
  name += to_string(s);
  if (try_number > 1) {
    name += '.';
    append_number(try_number, name);
  }
  return name += ".part";
}

std::vector<std::string> leftovers_in(const std::string& path) {
  std::vector<std::string> names;
  std::error_code failed;
  for (auto i = std::filesystem::directory_iterator{path, failed};
       !failed && i != std::filesystem::directory_iterator{}; i.increment(failed)) {
    auto name = i->path().filename().string();
    if (name.starts_with(".weir-") && name.ends_with(".part")) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

int link_by_proc(int file, int at, const char* name) noexcept {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  return linkat(AT_FDCWD, path, at, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}

std::array<timespec, 2> as_timespecs(timestamp access, timestamp modification) noexcept {
  const auto convert = [](timestamp t) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(t);
    return timespec{static_cast<time_t>(seconds.time_since_epoch().count()),
                    static_cast<long>((t - seconds).count())};
  };
  return {convert(access), convert(modification)};
}

} // namespace

void unpublished_file::write(bytes_view bytes, std::uint64_t offset) noexcept {
  if (error != 0) return;
  std::uint64_t written = 0;
  error = write_all_at(file.get(), bytes, offset, written);
  if (written != 0) saved = std::max(saved, offset + written);
}

void unpublished_file::extend(std::uint64_t size) noexcept {
  if (error != 0 || saved >= size) return;
  if (ftruncate(file.get(), static_cast<off_t>(size)) == 0)
    saved = size;
  else
    error = errno;
}

result<std::shared_ptr<output_folder>> output_folder::open_with_index(std::string path) {
  std::error_code made;
  std::filesystem::create_directories(path, made);
  descriptor folder{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!folder) {
    const int failure = errno == ENOENT && made ? made.value() : errno;
    return tl::unexpected{write_error(failure, std::move(path))};
  }
  descriptor index{openat(folder.get(), index_name,
                          O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666)};
  auto index_path = path + '/' + index_name;
  if (!index && errno == EEXIST) {
    auto detail = "holds the sessions.jsonl of an earlier run"s;
    if (const auto left = leftovers_in(path); !left.empty())
      detail += " that was interrupted (" + describe_leftovers(left) + ')';
    return tl::unexpected{error{errc::already_exists, std::move(path),
                                detail + " (choose another folder, or move that one away)"}};
  }
  if (!index) return tl::unexpected{write_error(errno, std::move(index_path))};
  auto lines = std::make_unique<index_file>(std::move(index), std::move(index_path));
  std::shared_ptr<output_folder> opened{
      new output_folder{std::move(path), std::move(folder), std::move(lines)}};
  opened->leftovers_ = leftovers_in(opened->path_);
  return opened;
}

result<std::shared_ptr<output_folder>> output_folder::open(std::string path) {
  auto folder = open_with_index(std::move(path));
  if (!folder) return folder;
  using enum publish_method;
  for (const auto method : {link_descriptor, link_proc, publish_method::rename, relink})
    if ((*folder)->works(method)) break;
  return folder;
}

result<std::shared_ptr<output_folder>> output_folder::open(std::string path,
                                                           publish_method method) {
  auto folder = open_with_index(std::move(path));
  if (folder) (*folder)->method_ = method;
  return folder;
}

bool output_folder::works(publish_method method) {
  method_ = method;
  auto file = create(static_cast<std::uint64_t>(getpid()), side::client);
  const auto name = ".weir-" + std::to_string(getpid()) + "-probe.part";
  const bool published = file.error == 0 && publish(file, get(), name.c_str()) == 0;
  if (published)
    unlinkat(get(), name.c_str(), 0);
  else if (!file.temporary.empty())
    unlinkat(get(), file.temporary.c_str(), 0);
  return published;
}

unpublished_file output_folder::create(std::uint64_t session_id, side s) const {
  if (method_ != publish_method::link_descriptor && method_ != publish_method::link_proc)
    return create_named(session_id, s);
  unpublished_file out;
  out.file = descriptor{openat(get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666)};
  if (!out.file) out.error = errno;
  return out;
}

unpublished_file output_folder::create_named(std::uint64_t session_id, side s) const {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  constexpr unsigned tries = 100;
  unpublished_file out;
  // What an interrupted run left is not touched.
  for (unsigned i = 1; i <= tries; ++i) {
    out.temporary = temporary_name(session_id, s, i);
    out.file = descriptor{openat(get(), out.temporary.c_str(), flags, 0666)};
    out.error = out.file ? 0 : errno;
    if (out.error != EEXIST) break;
  }
  if (!out.file) out.temporary.clear();
  return out;
}

int output_folder::publish(unpublished_file& file, int at, const char* name) const noexcept {
  switch (file.temporary.empty() ? method_ : std::max(method_, publish_method::rename)) {
  case publish_method::link_descriptor:
    return linkat(file.file.get(), "", at, name, AT_EMPTY_PATH) == 0 ? 0 : errno;
  case publish_method::link_proc: return link_by_proc(file.file.get(), at, name);
  case publish_method::rename: return rename_new(get(), file.temporary.c_str(), at, name);
  case publish_method::relink: return relink_new(get(), file.temporary.c_str(), at, name);
  }
  return EINVAL;
}

std::string describe_leftovers(const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  auto text = std::to_string(names.size())
              + (names.size() == 1 ? " unfinished file: " : " unfinished files: ");
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) text += ", …";
  return text;
}

void set_times(int folder, const char* name, timestamp access, timestamp modification) noexcept {
  utimensat(folder, name, as_timespecs(access, modification).data(), AT_SYMLINK_NOFOLLOW);
}

void set_times(int file, timestamp access, timestamp modification) noexcept {
  futimens(file, as_timespecs(access, modification).data());
}

std::size_t open_file_limit(std::size_t stores) noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = 1024;
  const auto quarter = std::min<rlim_t>(limit.rlim_cur, 1 << 20) / 4;
  return std::max<std::size_t>(4, quarter / std::max<std::size_t>(stores, 1));
}

} // namespace weir
