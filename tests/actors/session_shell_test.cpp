#include <weir/actors/session_shell.hpp>

#include <future>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include <weir/actors/block_pool.hpp>
#include <weir/net/session/flow_table.hpp>
#include <weir/tests/actors/tuned_config.hpp>
#include <weir/tests/support/dialogue.hpp>

namespace weir {
namespace {

/// What a session said, and how it ended.
struct result_of_session {
  std::string client;
  session_summary summary;
};

class recorder : public accumulator {
public:
  explicit recorder(std::promise<result_of_session>& to) : to_(to) {}
  verdict on_data(side, bytes_view bytes, timestamp) override {
    heard_.client += as_text(bytes);
    return verdict::more;
  }
  void on_end(const session_summary& summary) override {
    heard_.summary = summary;
    to_.set_value(heard_);
  }

private:
  std::promise<result_of_session>& to_;
  result_of_session heard_;
};

class shell : public ::testing::Test {
protected:
  session_actor spawn() {
    const auto environment = std::make_shared<const session_environment>(session_environment{
        [this](const session_info&) { return std::make_unique<recorder>(promise); },
        {},
        *budget,
        {}});
    session_start start;
    start.has_initial = {true, true};
    start.initial = {1001, 5001};
    return spawn_session(system, environment, census, start);
  }

  /// A block with this said by the client.
  segment_slice slice(std::string_view text) {
    auto block = pool->acquire({});
    block->shards.resize(1);
    test::dialogue d;
    block->shards[0].segments = {d.data(side::client, 1, 1, text)};
    block->shards[0].order = {0};
    return {block, 0, 0, 1};
  }

  test::tuned_config config;
  caf::actor_system system{config};
  std::shared_ptr<memory_budget> budget = std::make_shared<memory_budget>(1 << 30);
  std::shared_ptr<block_pool> pool = block_pool::make(1, packet_block::max_packet, budget);
  std::promise<result_of_session> promise;
  std::promise<void> gone;
  std::shared_ptr<session_census> census =
      std::make_shared<session_census>([this] { gone.set_value(); });
};

TEST_F(shell, a_session_whose_actor_is_killed_is_failed_with_what_it_had) {
  const auto before = budget->used();
  auto actor = spawn();
  EXPECT_EQ(budget->used(), before + flow_table::session_overhead);
  EXPECT_EQ(census->size(), 1u);
  caf::anon_send(actor, slice("so far"));
  caf::anon_send(caf::actor_cast<caf::actor>(actor),
                 caf::exit_msg{actor.address(), caf::exit_reason::kill});
  actor = session_actor{};
  const auto heard = promise.get_future().get();
  EXPECT_EQ(heard.client, "so far");
  EXPECT_EQ(heard.summary.state, session_state::failed);
  EXPECT_EQ(heard.summary.failure, "its actor was ended");
  census->close();
  gone.get_future().wait();
  EXPECT_EQ(census->untold(), 0u);
}

TEST_F(shell, an_end_that_fails_says_why) {
  auto actor = spawn();
  session_end end;
  end.state = session_state::failed;
  end.failure = "a reason";
  caf::anon_send(actor, slice("all"), end);
  actor = session_actor{};
  const auto heard = promise.get_future().get();
  EXPECT_EQ(heard.client, "all");
  EXPECT_EQ(heard.summary.state, session_state::failed);
  EXPECT_EQ(heard.summary.failure, "a reason");
  census->close();
  gone.get_future().wait();
}

} // namespace
} // namespace weir
