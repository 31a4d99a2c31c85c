/// What becomes of the data when parts of the pipeline die, over captures whose truth is known.
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include <weir/actors/pipeline.hpp>
#include <weir/actors/supervisor.hpp>
#include <weir/tests/actors/scripted_source.hpp>
#include <weir/tests/actors/tuned_config.hpp>
#include <weir/tests/support/frames.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::append;
using test::frames;
using test::scripted_source;

using random_source = std::mt19937;

bool one_in(random_source& random, unsigned n) { return random() % n == 0; }

/// What came out of a session, or of a part of one.
struct record {
  bool finished = false;
  bool given_up = false;
  session_state state = session_state::open;
  bool midstream = false;
  timestamp start{};
  std::string failure;
  std::uint64_t missing = 0;
  std::array<std::string, 2> bytes;
};

/// By client port, in the order of their starts, and by session id.
struct records {
  std::mutex mutex;
  std::map<std::uint64_t, record> by_id;
  std::map<std::uint16_t, std::vector<std::uint64_t>> by_port;
};

/// Keeps everything, as long as it is told to. Throws once in `odds` calls, if not zero.
class memory_store : public session_store {
public:
  memory_store(records& to, unsigned odds, unsigned seed) : to_(to), odds_(odds), random_(seed) {}

  void append(std::uint64_t id, side s, stream_piece piece) override {
    stumble();
    const std::lock_guard lock{to_.mutex};
    put(to_.by_id[id], s, piece);
  }
  void finish(finished_session&& session) override {
    stumble();
    const std::lock_guard lock{to_.mutex};
    auto& r = note(session);
    for (const auto s : both_sides)
      for (const auto& piece : session.streams[index(s)].rest)
        put(r, s, piece);
  }
  void give_up(const finished_session& session) override {
    const std::lock_guard lock{to_.mutex};
    note(session).given_up = true;
  }
  void close() override {
    // nop
  }
  const store_counters& counters() const noexcept override { return counters_; }
  const error* first_error() const noexcept override { return nullptr; }

private:
  void stumble() {
    if (odds_ != 0 && one_in(random_, odds_)) throw std::runtime_error{"the store stumbled"};
  }

  record& note(const finished_session& session) {
    auto& r = to_.by_id[session.info.id];
    EXPECT_FALSE(r.finished) << "a session ends once";
    r.finished = true;
    r.state = session.summary.state;
    r.midstream = session.info.midstream;
    r.start = session.info.start;
    r.failure = session.summary.failure;
    for (const auto& s : session.summary.sides)
      r.missing += s.missing;
    to_.by_port[session.info.client.port].push_back(session.info.id);
    ++counters_.by_state[static_cast<std::size_t>(session.summary.state)];
    ++counters_.sessions;
    return r;
  }

  static void put(record& r, side s, const stream_piece& piece) {
    auto& text = r.bytes[index(s)];
    text.resize(std::max<std::size_t>(text.size(), piece.offset), '?');
    text += as_text(piece.bytes.view());
  }

  records& to_;
  const unsigned odds_;
  random_source random_;
  store_counters counters_;
};

/// What sessions say. Every piece is of a length of its own, and every text tells where it is from.
struct conversation {
  std::uint16_t port = 0;
  std::array<std::string, 2> text;
  std::array<std::uint32_t, 2> sent{};
};

std::string text_of(std::uint16_t port, side s, random_source& random) {
  std::string text;
  const auto lines = 5 + random() % 60;
  for (unsigned i = 0; i < lines; ++i)
    text += std::string{to_string(s)} + " " + std::to_string(port) + " line " + std::to_string(i)
            + "\n";
  return text;
}

/// The frames of all conversations, mixed, in blocks.
class traffic {
public:
  explicit traffic(unsigned seed, std::size_t sessions = 40, std::size_t blocks = 30)
      : random_(seed), blocks_(blocks) {
    for (std::size_t i = 0; i < sessions; ++i) {
      conversation c;
      c.port = static_cast<std::uint16_t>(40000 + i);
      for (const auto s : both_sides)
        c.text[index(s)] = text_of(c.port, s, random_);
      all_.push_back(std::move(c));
    }
    for (auto& c : all_)
      play(c);
  }

  const std::vector<frames>& blocks() const noexcept { return blocks_; }
  const std::vector<conversation>& all() const noexcept { return all_; }

  /// Payload in the first `count` blocks, in bytes. No segment has options.
  std::uint64_t payload(std::size_t count) const {
    constexpr std::size_t headers = 14 + 20 + 20;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i)
      for (const auto& frame : blocks_[i])
        bytes += frame.size() - headers;
    return bytes;
  }

private:
  void play(conversation& c) {
    auto block = random_() % (blocks_.size() / 2);
    const auto later = [&] {
      if (block + 1 < blocks_.size() && one_in(random_, 2)) ++block;
    };
    append(blocks_[block], test::handshake(c.port));
    while (c.sent[0] < c.text[0].size() || c.sent[1] < c.text[1].size()) {
      later();
      const auto s = one_in(random_, 2) ? side::client : side::server;
      auto& sent = c.sent[index(s)];
      const auto& text = c.text[index(s)];
      const auto n = std::min<std::size_t>(1 + random_() % 200, text.size() - sent);
      if (n == 0) continue;
      blocks_[block].push_back(test::tcp_frame(c.port, s == side::client, tcp_flag::ack, next(c, s),
                                               next(c, other(s)),
                                               std::string_view{text}.substr(sent, n)));
      sent += static_cast<std::uint32_t>(n);
    }
    later();
    append(blocks_[block], test::closing(c.port, next(c, side::client), next(c, side::server)));
  }

  static std::uint32_t next(const conversation& c, side s) {
    return (s == side::client ? 100 : 500) + c.sent[index(s)];
  }

  random_source random_;
  std::vector<frames> blocks_;
  std::vector<conversation> all_;
};

class faults : public ::testing::Test {
protected:
  faults() {
    options.memory = 32 << 20;
    options.dispatchers = 2;
    options.max_restarts = 1'000'000;
    options.interval = 20ms;
    options.accumulators = [](store_port& port, memory_budget& b) -> accumulator_factory {
      return [&port, &b](const session_info& info) {
        return make_file_accumulator(info, {}, b, port);
      };
    };
    usual_ = system.registry().running();
  }

  void add_stores(unsigned odds = 0, unsigned seed = 0) {
    for (unsigned i = 0; i < 2; ++i)
      options.stores.push_back(std::make_unique<memory_store>(said, odds, seed + i));
  }

  /// `before` is called when all supervised actors are up.
  pipeline_report run(const traffic& t, std::function<void(std::size_t)> before = {}) {
    std::promise<caf::actor> up;
    auto root = up.get_future().share();
    options.on_start = [&up](const caf::actor& r) { up.set_value(r); };
    const auto hook = [&](std::size_t block) {
      root_ = root.get();
      if (before) before(block);
    };
    auto report = run_pipeline(system, std::make_unique<scripted_source>(t.blocks(), hook),
                               std::move(options));
    root_ = {};
    EXPECT_FALSE(report.hung);
    // Detached actors end after their last message.
    for (int i = 0; i < 1000 && system.registry().running() > usual_; ++i)
      std::this_thread::sleep_for(1ms);
    EXPECT_EQ(system.registry().running(), usual_) << "actors are left behind";
    return report;
  }

  std::vector<child_info> children_of(const caf::actor& supervisor) {
    std::vector<child_info> found;
    caf::scoped_actor self{system};
    self->request(caf::actor_cast<supervisor_actor>(supervisor), caf::infinite, which_children{})
        .receive([&](std::vector<child_info>& all) { found = std::move(all); },
                 [](const caf::error&) {
                   // It has ended.
                 });
    return found;
  }

  /// Kills one of the group, if one lives.
  void kill(std::string_view group, random_source& random) {
    for (const auto& g : children_of(root_)) {
      if (g.id != group || !g.actor) continue;
      const auto members = children_of(g.actor);
      if (members.empty()) return;
      const auto& victim = members[random() % members.size()].actor;
      if (victim) caf::anon_send(victim, caf::exit_msg{victim.address(), caf::exit_reason::kill});
    }
  }

  /// Every session came out: all of it, or what there is of it is marked.
  void expect_whole_or_marked(const traffic& t) {
    for (const auto& c : t.all()) {
      const auto& ids = said.by_port[c.port];
      ASSERT_FALSE(ids.empty()) << c.port << " is not in the index";
      bool marked = false;
      for (const auto s : both_sides) {
        std::size_t at = 0;
        std::size_t bytes = 0;
        for (const auto id : ids) {
          const auto& r = said.by_id[id];
          marked = marked || r.state == session_state::failed || r.midstream || r.missing > 0;
          if (r.missing > 0 || r.state == session_state::failed) continue;
          const auto& text = r.bytes[index(s)];
          const auto found = c.text[index(s)].find(text, at);
          EXPECT_NE(found, std::string::npos) << c.port << ": bytes that were never said:\n"
                                              << text;
          at = found + text.size();
          bytes += text.size();
        }
        if (!marked) {
          EXPECT_EQ(bytes, c.text[index(s)].size()) << c.port;
        }
      }
    }
  }

  void expect_whole(const conversation& c) {
    const auto& ids = said.by_port[c.port];
    ASSERT_EQ(ids.size(), 1u) << c.port;
    const auto& r = said.by_id[ids.front()];
    EXPECT_EQ(r.state, session_state::closed) << c.port << " " << r.failure;
    for (const auto s : both_sides)
      EXPECT_EQ(r.bytes[index(s)], c.text[index(s)]) << c.port;
  }

  void expect_whole(const traffic& t) {
    for (const auto& c : t.all())
      expect_whole(c);
  }

  /// All that was in the first `blocks` blocks came out.
  void expect_whole_or_open(const traffic& t, std::size_t blocks) {
    std::uint64_t said_bytes = 0;
    for (const auto& c : t.all()) {
      for (const auto id : said.by_port[c.port]) {
        const auto& r = said.by_id[id];
        EXPECT_TRUE(r.state == session_state::open || r.state == session_state::closed);
        for (const auto s : both_sides) {
          EXPECT_TRUE(c.text[index(s)].starts_with(r.bytes[index(s)])) << c.port;
          said_bytes += r.bytes[index(s)].size();
        }
      }
    }
    EXPECT_EQ(said_bytes, t.payload(blocks));
  }

  test::tuned_config config;
  caf::actor_system system{config};
  pipeline_options options;
  records said;
  caf::actor root_;
  std::size_t usual_ = 0;
};

/// Each seed is a run of its own, with a fixture of its own.
class seeded_faults : public faults, public ::testing::WithParamInterface<unsigned> {
protected:
  random_source random{GetParam()};
};

TEST_F(faults, without_any_all_sessions_come_out_whole) {
  const traffic t{1};
  add_stores();
  const auto report = run(t);
  expect_whole(t);
  EXPECT_EQ(report.restarts, (std::array<std::uint64_t, actor_kind_count>{}));
}

TEST_P(seeded_faults, writers_that_are_killed_lose_nothing) {
  const traffic t{GetParam()};
  add_stores();
  run(t, [this](std::size_t) {
    if (one_in(random, 2)) kill("writers", random);
  });
  expect_whole(t);
}

TEST_P(seeded_faults, captures_that_are_killed_lose_nothing_of_a_file) {
  const traffic t{GetParam()};
  add_stores();
  std::size_t kills = 0;
  const auto report = run(t, [&](std::size_t block) {
    if (block == t.blocks().size() || !one_in(random, 4)) return;
    kill("captures", random);
    ++kills;
  });
  expect_whole(t);
  // Two may hit the same one, and the last may come too late.
  const auto restarts = report.restarts[static_cast<std::size_t>(actor_kind::capture)];
  EXPECT_LE(restarts, kills);
  EXPECT_EQ(report.capture.outages.size(), restarts);
  for (const auto& o : report.capture.outages)
    EXPECT_LE(o.begin, o.end);
}

TEST_P(seeded_faults, sessions_of_a_dispatcher_that_is_killed_are_marked_and_go_on_midstream) {
  const traffic t{GetParam()};
  add_stores();
  const auto report = run(t, [this](std::size_t) {
    if (one_in(random, 6)) kill("dispatchers", random);
  });
  expect_whole_or_marked(t);
  EXPECT_EQ(report.segments_lost, 0u) << "it died between two blocks";
  std::uint64_t failed = 0;
  for (const auto& [id, r] : said.by_id) {
    if (r.state != session_state::failed) continue;
    ++failed;
    EXPECT_EQ(r.failure, "its dispatcher failed");
  }
  EXPECT_EQ(failed, report.sessions_abandoned);
}

TEST_P(seeded_faults, a_store_that_throws_costs_the_sessions_concerned_only) {
  const traffic t{GetParam()};
  add_stores(20, GetParam());
  const auto report = run(t);
  std::size_t given_up = 0;
  for (const auto& c : t.all()) {
    ASSERT_EQ(said.by_port[c.port].size(), 1u);
    const auto& r = said.by_id[said.by_port[c.port].front()];
    if (!r.given_up) {
      expect_whole(c);
      continue;
    }
    ++given_up;
    EXPECT_EQ(r.state, session_state::failed);
    EXPECT_EQ(r.failure, "the store stumbled");
  }
  EXPECT_EQ(report.restarts[static_cast<std::size_t>(actor_kind::writer)], given_up);
}

TEST_P(seeded_faults, a_source_that_throws_is_asked_again) {
  const traffic t{GetParam()};
  add_stores();
  run(t, [this](std::size_t) {
    if (one_in(random, 5)) throw std::runtime_error{"the source stumbled"};
  });
  expect_whole(t);
}

TEST_P(seeded_faults, whatever_dies_sessions_are_whole_or_marked) {
  const traffic t{GetParam()};
  add_stores(50, GetParam());
  run(t, [this](std::size_t) {
    constexpr std::array<std::string_view, 3> groups = {"writers", "dispatchers", "captures"};
    if (one_in(random, 3)) kill(groups[random() % groups.size()], random);
    if (one_in(random, 10)) throw std::runtime_error{"the source stumbled"};
  });
  expect_whole_or_marked(t);
}

INSTANTIATE_TEST_SUITE_P(seeds, seeded_faults, ::testing::Range(0u, 40u));

/// Throws in the middle of some sessions.
class fragile : public accumulator {
public:
  fragile(std::unique_ptr<accumulator> inner, std::uint16_t port)
      : inner_(std::move(inner)), breaks_(port % 5 == 0) {}
  verdict on_start(const session_info& info) override { return inner_->on_start(info); }
  verdict on_data(side s, bytes_view bytes, timestamp time) override {
    if (breaks_ && (seen_ += bytes.size()) > 300) throw std::bad_alloc{};
    return inner_->on_data(s, bytes, time);
  }
  void on_end(const session_summary& summary) override { inner_->on_end(summary); }

private:
  std::unique_ptr<accumulator> inner_;
  bool breaks_;
  std::size_t seen_ = 0;
};

TEST_F(faults, a_session_that_throws_keeps_what_it_had_and_no_other_notices) {
  const traffic t{7};
  add_stores();
  options.accumulators = [](store_port& port, memory_budget& b) -> accumulator_factory {
    return [&port, &b](const session_info& info) {
      return std::make_unique<fragile>(make_file_accumulator(info, {}, b, port), info.client.port);
    };
  };
  const auto report = run(t);
  std::size_t failed = 0;
  for (const auto& c : t.all()) {
    if (c.port % 5 != 0) {
      expect_whole(c);
      continue;
    }
    const auto& r = said.by_id[said.by_port[c.port].front()];
    if (c.text[0].size() + c.text[1].size() <= 300) continue;
    ++failed;
    EXPECT_EQ(r.state, session_state::failed);
    EXPECT_EQ(r.failure, std::bad_alloc{}.what());
    for (const auto s : both_sides)
      EXPECT_TRUE(c.text[index(s)].starts_with(r.bytes[index(s)]));
    EXPECT_GT(r.bytes[0].size() + r.bytes[1].size(), 0u);
  }
  EXPECT_GT(failed, 0u);
  EXPECT_EQ(report.restarts, (std::array<std::uint64_t, actor_kind_count>{}));
}

TEST_F(faults, a_session_without_an_accumulator_at_first_is_accounted_for) {
  const traffic t{8};
  add_stores();
  options.accumulators = [](store_port& port, memory_budget& b) -> accumulator_factory {
    const auto calls = std::make_shared<std::atomic<unsigned>>(0);
    return [&port, &b, calls](const session_info& info) {
      if (++*calls == 1) throw std::bad_alloc{};
      return make_file_accumulator(info, {}, b, port);
    };
  };
  run(t);
  std::size_t failed = 0;
  for (const auto& c : t.all()) {
    ASSERT_EQ(said.by_port[c.port].size(), 1u) << c.port;
    failed += said.by_id[said.by_port[c.port].front()].state == session_state::failed ? 1 : 0;
  }
  EXPECT_EQ(failed, 1u);
}

TEST_F(faults, a_capture_that_fails_again_and_again_ends_the_run_with_what_there_is) {
  const traffic t{9};
  add_stores();
  options.max_restarts = 3;
  std::vector<std::string> complaints;
  options.on_failure = [&](const std::string& line) { complaints.push_back(line); };
  const auto report = run(t, [](std::size_t block) {
    if (block == 15) throw std::runtime_error{"the source is broken"};
  });
  EXPECT_TRUE(report.gave_up);
  EXPECT_EQ(report.restarts[static_cast<std::size_t>(actor_kind::capture)], 3u);
  EXPECT_GT(report.capture.packets, 0u);
  expect_whole_or_open(t, 15);
  ASSERT_FALSE(complaints.empty());
  EXPECT_NE(complaints.front().find("the source is broken"), std::string::npos)
      << complaints.front();
}

TEST_F(faults, a_store_that_always_throws_ends_the_run_and_every_session_is_accounted_for) {
  const traffic t{10};
  add_stores(1);
  options.max_restarts = 3;
  const auto report = run(t);
  EXPECT_TRUE(report.gave_up);
  std::size_t accounted = 0;
  for (const auto& [id, r] : said.by_id) {
    EXPECT_EQ(r.state, session_state::failed);
    ++accounted;
  }
  EXPECT_EQ(accounted, report.flows.sessions);
}

TEST_F(faults, stops_when_told_to_and_sessions_are_open) {
  const traffic t{11};
  add_stores();
  std::atomic<bool> stop{false};
  options.watch = [&](const pipeline_status&) { return !stop; };
  options.interval = 1ms;
  run(t, [&](std::size_t block) {
    if (block == 15) {
      stop = true;
      std::this_thread::sleep_for(50ms);
    }
  });
  std::size_t open = 0;
  for (const auto& [id, r] : said.by_id)
    open += r.state == session_state::open ? 1 : 0;
  EXPECT_GT(open, 0u);
  expect_whole_or_open(t, 16);
}

/// Blocks its thread until it is let go.
class stuck_store : public session_store {
public:
  explicit stuck_store(std::shared_ptr<std::atomic<bool>> stuck) : stuck_(std::move(stuck)) {}
  void append(std::uint64_t, side, stream_piece) override { wait(); }
  void finish(finished_session&&) override { wait(); }
  void give_up(const finished_session&) override {}
  void close() override {}
  const store_counters& counters() const noexcept override { return counters_; }
  const error* first_error() const noexcept override { return nullptr; }

private:
  void wait() const {
    while (*stuck_)
      std::this_thread::sleep_for(1ms);
  }

  std::shared_ptr<std::atomic<bool>> stuck_;
  store_counters counters_;
};

TEST_F(faults, a_stop_does_not_wait_for_what_hangs) {
  const traffic t{12};
  const auto stuck = std::make_shared<std::atomic<bool>>(true);
  options.stores.push_back(std::make_unique<stuck_store>(stuck));
  options.watch = [](const pipeline_status&) { return false; };
  options.stop_patience = 100ms;
  const auto report =
      run_pipeline(system,
                   std::make_unique<scripted_source>(
                       t.blocks(), [](std::size_t) { std::this_thread::sleep_for(5ms); }),
                   std::move(options));
  EXPECT_TRUE(report.hung);
  *stuck = false;
}

} // namespace
} // namespace weir
