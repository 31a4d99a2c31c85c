#include <weir/actors/pipeline.hpp>

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <caf/actor_registry.hpp>
#include <caf/actor_system.hpp>
#include <gtest/gtest.h>

#include <weir/tests/actors/scripted_source.hpp>
#include <weir/tests/actors/tuned_config.hpp>
#include <weir/tests/support/frames.hpp>

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::append;
using test::closing;
using test::frames;
using test::handshake;
using test::scripted_source;
using test::tcp_frame;

/// What all sessions of a run said, by client port.
struct transcript {
  struct entry {
    std::string client;
    std::string server;
    std::optional<session_summary> summary;
  };
  std::mutex mutex;
  std::map<std::uint16_t, entry> sessions;
};

class recorder : public accumulator {
public:
  recorder(transcript& to, std::uint16_t port) : to_(to), port_(port) {}

  verdict on_data(side from, bytes_view bytes, timestamp) override {
    const std::lock_guard lock{to_.mutex};
    auto& e = to_.sessions[port_];
    (from == side::client ? e.client : e.server) += as_text(bytes);
    if (as_text(bytes) == "throw") throw std::runtime_error{"a bug in the accumulator"};
    return verdict::more;
  }
  void on_end(const session_summary& summary) override {
    const std::lock_guard lock{to_.mutex};
    to_.sessions[port_].summary = summary;
  }

private:
  transcript& to_;
  std::uint16_t port_;
};

class pipeline_fixture : public ::testing::Test {
protected:
  pipeline_fixture() {
    options.accumulators = [this](store_port&, memory_budget& b) -> accumulator_factory {
      budget = &b;
      return [this](const session_info& info) {
        return std::make_unique<recorder>(said, info.client.port);
      };
    };
  }

  /// `before` is first called when all supervised actors are up.
  pipeline_report run(std::vector<frames> blocks, scripted_source::hook before = {}) {
    std::promise<void> up;
    options.on_start = [&up](const caf::actor&) { up.set_value(); };
    const auto hook = [before = std::move(before), &up](std::size_t block) {
      if (block == 0) up.get_future().wait();
      if (before) before(block);
    };
    return run_pipeline(system, std::make_unique<scripted_source>(std::move(blocks), hook),
                        std::move(options));
  }

  /// Waits, within reason, until as many actors run.
  bool running(std::size_t count) {
    for (int i = 0; i < 1000 && system.registry().running() != count; ++i)
      std::this_thread::sleep_for(5ms);
    return system.registry().running() == count;
  }

  test::tuned_config config;
  caf::actor_system system{config};
  pipeline_options options;
  transcript said;
  memory_budget* budget = nullptr;
};

TEST_F(pipeline_fixture, brings_a_conversation_from_packets_to_an_accumulator) {
  frames all = handshake(50000);
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 100, 500, "request"));
  all.push_back(tcp_frame(50000, false, tcp_flag::ack, 500, 107, "response"));
  append(all, closing(50000, 107, 508));
  const auto report = run({all});
  ASSERT_EQ(said.sessions.size(), 1u);
  EXPECT_EQ(said.sessions[50000].client, "request");
  EXPECT_EQ(said.sessions[50000].server, "response");
  EXPECT_EQ(said.sessions[50000].summary->state, session_state::closed);
  EXPECT_EQ(report.capture.packets, 8u);
  EXPECT_EQ(report.flows.sessions, 1u);
}

TEST_F(pipeline_fixture, gives_every_established_session_an_actor_of_its_own) {
  frames first;
  constexpr std::size_t count = 50;
  for (std::uint16_t port = 0; port < count; ++port)
    append(first, handshake(static_cast<std::uint16_t>(50000 + port)));
  frames second;
  for (std::uint16_t port = 0; port < count; ++port)
    append(second, closing(static_cast<std::uint16_t>(50000 + port), 100, 500));
  std::size_t before = 0;
  bool all_running = false, all_gone = false;
  run({first, second}, [&](std::size_t block) {
    if (block == 0) before = system.registry().running();
    if (block == 1) all_running = running(before + count);
    if (block == 2) all_gone = running(before);
  });
  EXPECT_TRUE(all_running);
  EXPECT_TRUE(all_gone);
}

TEST_F(pipeline_fixture, spawns_no_actor_for_a_flood_of_syns) {
  frames flood;
  for (std::uint16_t port = 0; port < 5000; ++port)
    flood.push_back(handshake(static_cast<std::uint16_t>(20000 + port)).front());
  std::size_t before = 0, during = 0;
  const auto report = run({flood, handshake(60000)}, [&](std::size_t block) {
    if (block == 0) before = system.registry().running();
    // The handshake's session shows that the flood was dispatched by then.
    if (block == 2) during = running(before + 1) ? before + 1 : system.registry().running();
  });
  EXPECT_EQ(during, before + 1);
  EXPECT_EQ(report.flows.sessions, 1u);
}

TEST_F(pipeline_fixture, an_accumulator_that_throws_ends_its_own_session_alone) {
  frames all = handshake(50000);
  append(all, handshake(50001));
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 100, 500, "good"));
  all.push_back(tcp_frame(50001, true, tcp_flag::ack, 100, 500, "also good"));
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 104, 500, "throw"));
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 109, 500, "never heard"));
  append(all, closing(50000, 120, 500));
  append(all, closing(50001, 109, 500));
  run({all});
  const auto& bad = said.sessions[50000];
  EXPECT_EQ(bad.client, "goodthrow");
  ASSERT_TRUE(bad.summary);
  EXPECT_EQ(bad.summary->state, session_state::failed);
  EXPECT_EQ(bad.summary->failure, "a bug in the accumulator");
  const auto& good = said.sessions[50001];
  EXPECT_EQ(good.client, "also good");
  EXPECT_EQ(good.summary->state, session_state::closed);
}

TEST_F(pipeline_fixture, many_dispatchers_give_the_same_sessions) {
  options.dispatchers = 4;
  std::vector<frames> blocks(3);
  for (std::uint16_t port = 50000; port < 50200; ++port) {
    append(blocks[0], handshake(port));
    blocks[1].push_back(tcp_frame(port, true, tcp_flag::ack, 100, 500, std::to_string(port)));
    append(blocks[2], closing(port, 105, 500));
  }
  const auto report = run(blocks);
  ASSERT_EQ(said.sessions.size(), 200u);
  for (const auto& [port, s] : said.sessions) {
    EXPECT_EQ(s.client, std::to_string(port));
    EXPECT_EQ(s.summary->state, session_state::closed);
  }
  EXPECT_EQ(report.flows.sessions, 200u);
}

TEST_F(pipeline_fixture, stops_after_as_many_packets_as_asked_for) {
  options.max_packets = 4;
  frames all = handshake(50000);
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 100, 500, "one"));
  all.push_back(tcp_frame(50000, true, tcp_flag::ack, 103, 500, "two"));
  const auto report = run({all, all});
  EXPECT_EQ(report.capture.packets, 4u);
  EXPECT_EQ(said.sessions[50000].client, "one");
  EXPECT_EQ(said.sessions[50000].summary->state, session_state::open);
}

/// Takes its time with every piece.
class slow_store : public session_store {
public:
  explicit slow_store(std::atomic<std::uint64_t>& bytes) : bytes_(bytes) {}
  void append(std::uint64_t id, side, stream_piece piece) override {
    EXPECT_FALSE(finished_.contains(id)) << "a piece came after its session's end";
    std::this_thread::sleep_for(200us);
    bytes_ += piece.bytes.size();
  }
  void finish(finished_session&& session) override {
    EXPECT_TRUE(finished_.insert(session.info.id).second);
    for (const auto& stream : session.streams) {
      for (const auto& piece : stream.rest)
        bytes_ += piece.bytes.size();
    }
    std::this_thread::sleep_for(50us);
  }
  void give_up(const finished_session&) override { ADD_FAILURE() << "nothing was thrown"; }
  void close() override {
    // nop
  }
  const store_counters& counters() const noexcept override { return counters_; }
  const error* first_error() const noexcept override { return nullptr; }

private:
  std::atomic<std::uint64_t>& bytes_;
  std::set<std::uint64_t> finished_;
  store_counters counters_;
};

TEST_F(pipeline_fixture, memory_stays_bounded_when_the_writers_are_slow) {
  constexpr std::size_t limit = 8 << 20;
  constexpr std::uint16_t session_count = 200;
  constexpr std::size_t block_count = 250;
  options.memory = limit;
  std::atomic<std::uint64_t> written{0};
  options.stores.push_back(std::make_unique<slow_store>(written));
  options.accumulators = [this](store_port& port, memory_budget& b) -> accumulator_factory {
    budget = &b;
    return
        [&port, &b](const session_info& info) { return make_file_accumulator(info, {}, b, port); };
  };
  const std::string text(1000, 'x');
  std::vector<frames> blocks(block_count);
  std::uint64_t sent = 0;
  for (std::uint16_t port = 0; port < session_count; ++port)
    append(blocks[0], handshake(static_cast<std::uint16_t>(50000 + port)));
  for (std::uint32_t i = 1; i < block_count; ++i) {
    for (std::uint16_t port = 0; port < session_count; ++port) {
      blocks[i].push_back(tcp_frame(static_cast<std::uint16_t>(50000 + port), true, tcp_flag::ack,
                                    100 + (i - 1) * 1000, 500, text));
      sent += text.size();
    }
  }
  std::size_t peak = 0;
  run(blocks, [&](std::size_t) { peak = std::max(peak, budget->used()); });
  EXPECT_EQ(written, sent);
  // What the blocks in flight bring may come on top.
  EXPECT_LE(peak, limit + limit / 2);
  EXPECT_GT(sent, 4 * limit);
}

} // namespace
} // namespace weir
