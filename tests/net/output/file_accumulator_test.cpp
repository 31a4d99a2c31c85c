#include <weir/net/output/file_accumulator.hpp>

#include <array>
#include <map>
#include <optional>
#include <utility>

#include "session_samples.hpp"

namespace weir::test {
namespace {

/// Takes what the accumulator hands on, and puts the files together.
class collector final : public store_port {
public:
  void append(std::uint64_t session_id, side s, stream_piece piece) override {
    EXPECT_EQ(session_id, sample_info().id);
    EXPECT_FALSE(end) << "after the end";
    put(s, piece);
    ++appended[index(s)];
    largest = std::max(largest, piece.bytes.capacity());
  }

  void finish(finished_session session) override {
    ASSERT_FALSE(end) << "a second end";
    for (const auto s : both_sides) {
      const auto& stream = session.streams[index(s)];
      EXPECT_EQ(stream.spilled, appended[index(s)] != 0);
      for (const auto& p : stream.rest)
        put(s, p);
      EXPECT_LE(files[s].size(), stream.size);
      if (keep) files[s].resize(stream.size, '~');
    }
    end.emplace(std::move(session));
  }

  /// Holes are `~`.
  std::map<side, std::string> files;
  std::array<int, 2> appended{};
  /// For streams too long to be put together.
  bool keep = true;
  std::size_t largest = 0;
  std::optional<finished_session> end;

private:
  void put(side s, const stream_piece& piece) {
    if (!keep) return;
    auto& file = files[s];
    ASSERT_LE(file.size(), piece.offset) << "out of order";
    file.resize(piece.offset, '~');
    file += as_text(piece.bytes.view());
  }
};

class file_accumulator_test : public testing::Test {
protected:
  void make(file_accumulator_options options = {}) {
    subject_ = make_file_accumulator(sample_info(), options, budget_, port_);
  }
  void say(side s, std::string_view text) {
    EXPECT_EQ(subject_->on_data(s, as_bytes(text), sample_time), accumulator::verdict::more);
  }
  void lose(side s, std::uint64_t length) {
    EXPECT_EQ(subject_->on_gap(s, {0, length}, sample_time), accumulator::verdict::more);
  }
  void end() {
    session_summary summary;
    summary.state = session_state::failed;
    summary.failure = "because";
    subject_->on_end(summary);
  }

  memory_budget budget_{1 << 30};
  collector port_;
  std::unique_ptr<accumulator> subject_;
};

constexpr auto client = side::client;
constexpr auto server = side::server;

TEST_F(file_accumulator_test, keeps_small_streams_in_memory_until_the_end) {
  make();
  say(client, "GET / HTTP/1.1\r\n");
  say(server, "HTTP/1.1 200 OK\r\n");
  say(client, "\r\n");
  EXPECT_LE(budget_.used(), 1024U) << "starts small";
  end();
  EXPECT_EQ(port_.files[client], "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(port_.files[server], "HTTP/1.1 200 OK\r\n");
  EXPECT_EQ(port_.appended, (std::array{0, 0}));
  EXPECT_EQ(port_.end->info.client, sample_info().client);
}

TEST_F(file_accumulator_test, passes_the_summary_through) {
  make();
  end();
  EXPECT_EQ(port_.end->summary.state, session_state::failed);
  EXPECT_EQ(port_.end->summary.failure, "because");
  EXPECT_EQ(port_.end->streams[0].size, 0U);
  EXPECT_EQ(port_.end->streams[1].size, 0U);
}

TEST_F(file_accumulator_test, hands_on_full_buffers_of_large_streams) {
  make({.spill_bytes = 64 << 10});
  std::string all;
  for (int i = 0; all.size() < 300'000; ++i) {
    std::string segment(static_cast<std::size_t>(i % 1461), static_cast<char>('a' + i % 26));
    all += segment;
    say(server, segment);
    EXPECT_LE(budget_.used(), 64U << 11) << "no more than twice the size to spill";
  }
  end();
  EXPECT_EQ(port_.files[server], all);
  const auto full = static_cast<int>(all.size() / (64 << 10));
  EXPECT_GE(port_.appended[1], full);
  EXPECT_LE(port_.appended[1], full + 8) << "full buffers, after those that it grew by";
  EXPECT_EQ(port_.largest, 64U << 10);
  EXPECT_EQ(port_.appended[0], 0);
}

TEST_F(file_accumulator_test, keeps_a_stream_that_just_fits_in_memory) {
  make({.spill_bytes = 4096});
  say(client, std::string(4096, 'x'));
  end();
  EXPECT_EQ(port_.files[client], std::string(4096, 'x'));
  EXPECT_EQ(port_.appended[0], 0);
}

TEST_F(file_accumulator_test, takes_more_than_a_buffer_at_once) {
  make({.spill_bytes = 4096});
  const std::string all(100'001, 'x');
  say(client, all);
  end();
  EXPECT_EQ(port_.files[client], all);
}

TEST_F(file_accumulator_test, works_with_any_spill_size) {
  for (const std::size_t spill : {0UL, 1UL, 513UL, 1000UL, 3001UL}) {
    port_ = {};
    make({.fill_gaps = true, .spill_bytes = spill});
    std::string all;
    for (int i = 1; i < 200; ++i) {
      const std::string segment(static_cast<std::size_t>(i * 7 % 900), static_cast<char>(i));
      say(client, segment);
      all += segment;
    }
    end();
    EXPECT_EQ(port_.files[client], all) << spill;
  }
}

TEST_F(file_accumulator_test, leaves_gaps_out_unless_told_to_fill_them) {
  make();
  say(client, "before");
  lose(client, 1000);
  say(client, "after");
  end();
  EXPECT_EQ(port_.files[client], "beforeafter");
}

TEST_F(file_accumulator_test, keeps_the_place_of_gaps_when_filling) {
  make({.fill_gaps = true});
  lose(client, 2);
  say(client, "a");
  lose(client, 3);
  say(client, "b");
  lose(client, 10'000);
  say(client, "c");
  lose(client, 4);
  end();
  auto& file = port_.files[client];
  std::replace(file.begin(), file.end(), '\0', '~');
  EXPECT_EQ(file, "~~a~~~b" + std::string(10'000, '~') + "c~~~~");
}

TEST_F(file_accumulator_test, does_not_take_memory_for_gaps) {
  port_.keep = false;
  make({.fill_gaps = true});
  for (int i = 0; i < 100; ++i) {
    say(client, "x");
    lose(client, std::uint64_t{1} << 31);
  }
  EXPECT_LE(budget_.used(), 64U << 10);
  end();
  EXPECT_EQ(port_.end->streams[0].size, 100 * ((std::uint64_t{1} << 31) + 1));
}

// One byte in each of very many pieces is the worst that a sender can do.
TEST_F(file_accumulator_test, bounds_the_memory_of_streams_that_are_all_gaps) {
  port_.keep = false;
  make({.fill_gaps = true, .spill_bytes = 16 << 10});
  for (int i = 0; i < 10'000; ++i) {
    say(client, "x");
    lose(client, 5000);
    ASSERT_LE(budget_.used(), 40U << 10);
  }
}

TEST_F(file_accumulator_test, makes_no_file_of_a_stream_that_is_nothing_but_a_gap) {
  make({.fill_gaps = true});
  lose(server, 5000);
  end();
  EXPECT_EQ(port_.end->streams[1].size, 0U);
}

TEST_F(file_accumulator_test, does_not_buffer_a_side_that_is_not_wanted) {
  make({.write_client = false, .fill_gaps = true});
  say(client, "request");
  lose(client, 10);
  say(server, "response");
  end();
  EXPECT_EQ(port_.end->streams[0].size, 0U);
  EXPECT_TRUE(port_.end->streams[0].rest.empty());
  EXPECT_EQ(port_.files[server], "response");
}

TEST_F(file_accumulator_test, hands_on_what_it_has_when_memory_is_short) {
  make();
  say(client, "one ");
  subject_->on_pressure();
  EXPECT_EQ(budget_.used(), 0U);
  EXPECT_EQ(port_.appended[0], 1);
  EXPECT_EQ(port_.appended[1], 0) << "nothing to hand on";
  subject_->on_pressure();
  EXPECT_EQ(port_.appended[0], 1) << "nothing new to hand on";
  say(client, "two");
  end();
  EXPECT_EQ(port_.files[client], "one two");
}

TEST_F(file_accumulator_test, keeps_the_place_of_gaps_across_pressure) {
  make({.fill_gaps = true});
  say(client, "a");
  lose(client, 2);
  subject_->on_pressure();
  lose(client, 1);
  say(client, "b");
  end();
  EXPECT_EQ(port_.files[client], "a~~~b");
}

TEST_F(file_accumulator_test, gives_all_memory_back) {
  make({.spill_bytes = 1024});
  say(client, std::string(5000, 'x'));
  say(server, "y");
  end();
  subject_.reset();
  port_.end.reset();
  EXPECT_EQ(budget_.used(), 0U);
}

} // namespace
} // namespace weir::test
