/// What settles a hole: acknowledgements, the limit on held bytes, the session's end; and what is
/// not believed.

#include <algorithm>
#include <utility>

#include <weir/net/tcp/stream.hpp>
#include <weir/net/tcp/stream_limits.hpp>

namespace weir {

/// How far beyond the next byte the sender may be.
std::uint64_t stream::allowance() const noexcept {
  return std::max(window_, window_scale_ == segment::no_scale ? unknown_window : least_allowance);
}

// -- acknowledgements -----------------------------------------------------------------------------

void stream::acknowledge(const segment& from_peer) {
  // The number on a RST is often made up, for instance by a middlebox.
  if (!from_peer.has(tcp_flag::ack) || from_peer.has(tcp_flag::rst)) return;
  const bool scaled = window_scale_ != segment::no_scale && !from_peer.has(tcp_flag::syn);
  window_ = std::max(window_, std::uint64_t{from_peer.window} << (scaled ? window_scale_ : 0));
  if (from_peer.has(tcp_flag::syn) || (state_ == state::unknown && acknowledgment_starts_))
    start(from_peer.acknowledgment, from_peer.time);
  if (state_ == state::skipping) return;
  if (state_ == state::unknown) {
    early_ack_ = from_peer.acknowledgment;
    return;
  }
  const auto acknowledged = position(from_peer.acknowledgment);
  if (state_ == state::guessed) {
    if (acknowledged <= begin_ || acknowledged > high() + allowance()) return;
    settle_start(from_peer.time);
    if (state_ == state::skipping) return;
  }
  if (acknowledged > high()) {
    const bool with_data = from_peer.length > 0 || from_peer.has(tcp_flag::fin);
    note_unseen(acknowledged, with_data, from_peer.time);
  } else {
    unseen_ack_.reset();
    refute();
    if (held() != 0) confirm(acknowledged, from_peer.time);
  }
  enforce_limit(from_peer.time);
}

/// The receiver has all bytes before `end`: what is missing there will not come any more.
void stream::confirm(std::uint64_t end, timestamp time) {
  adopt_doubted(end);
  settle_until(end, time);
  deliver_ready(time);
  drop_beyond_end();
}

/// An acknowledgement of bytes that were not captured. They were lost to the capture; or the
/// capture has them late, so that nothing is settled before `reordering_grace` has passed or data
/// beyond the hole comes. A bare acknowledgement waits for a second one, too. A single byte more
/// than captured may be a FIN's number.
void stream::note_unseen(std::uint64_t acknowledged, bool with_data, timestamp time) {
  const bool plausible = acknowledged <= high() + allowance();
  if (plausible) {
    confirm(high(), time);
    if (state_ == state::skipping || acknowledged <= high()) return;
    if (!unseen_ack_) unseen_since_ = time;
    if (time - unseen_since_ < reordering_grace) {
      unseen_ack_ = acknowledged;
      return;
    }
    if (with_data && acknowledged > high() + 1) {
      unseen_ack_.reset();
      confirm(acknowledged, time);
      return;
    }
  }
  const bool again = unseen_ack_ && *unseen_ack_ > high() + 1 && acknowledged >= *unseen_ack_
                     && acknowledged - *unseen_ack_ <= allowance();
  const auto earlier = std::exchange(unseen_ack_, acknowledged);
  if (!again) return;
  confirm(*earlier, time);
  if (!plausible) resynchronize(time);
  if (state_ == state::settled && acknowledged <= high()) confirm(acknowledged, time);
}

/// Delivers all before `end`, with gaps where nothing is held.
void stream::settle_until(std::uint64_t end, timestamp time) {
  if (fin_) end = std::min(end, *fin_);
  while (state_ == state::settled && next_ < end) {
    const auto hole_end = held_.empty() ? end : std::min(end, held_.begin());
    if (hole_end > next_) declare_gap(hole_end - next_, time);
    deliver_ready(time);
  }
  drop_beyond_end();
}

// -- data beyond the window -----------------------------------------------------------------------

bool stream::in_place(const segment& s) const noexcept {
  if (state_ == state::unknown || state_ == state::skipping) return true;
  const auto begin = position(s.sequence);
  return begin + allowance() >= next_ && begin + s.length <= next_ + allowance();
}

void stream::claim(const segment& from_peer) noexcept {
  if (!from_peer.has(tcp_flag::ack) || from_peer.has(tcp_flag::rst)) return;
  if (state_ != state::settled && state_ != state::guessed) return;
  const auto acknowledged = position(from_peer.acknowledgment);
  const auto earlier = std::exchange(claimed_, acknowledged);
  if (earlier && acknowledged >= *earlier && acknowledged - *earlier <= allowance())
    claimed_twice_ = acknowledged;
}

/// What is in doubt stays, in case that the stream gets there, but is no evidence any more.
void stream::refute() noexcept {
  refuted_ = true;
  claimed_.reset();
  claimed_twice_.reset();
}

/// What was refuted must not support what comes now.
void stream::forget_doubted() noexcept {
  figures_->out_of_window += doubted_.clear();
  doubted_fin_.reset();
  refuted_ = false;
}

/// Moves doubted data that begins before `below` to the rest. What is held there already was within
/// the window when it came, and wins.
bool stream::adopt_doubted(std::uint64_t below) {
  bool moved = false;
  while (!doubted_.empty() && doubted_.begin() < below) {
    const auto [begin, piece] = doubted_.take_front();
    arrival a{begin, piece.view(), piece.length, piece.time};
    if (begin < next_) figures_->out_of_window += a.drop_front(next_ - begin);
    if (a.length == 0) continue;
    contradict_fin(a);
    hold(a, overlap_policy::first);
    moved = true;
  }
  return moved;
}

/// The stream was found again far ahead: what lies within the window there is no longer in doubt.
void stream::resynchronize(timestamp time) {
  while (state_ == state::settled && adopt_doubted(next_ + allowance()))
    deliver_ready(time);
  if (doubted_fin_ && *doubted_fin_ <= next_ + allowance())
    note_fin(*std::exchange(doubted_fin_, std::nullopt));
  drop_beyond_end();
}

/// Where data that was not refuted begins a sustained run, or is within a window of what the peer
/// acknowledged twice from afar.
std::optional<std::uint64_t> stream::believed_position() {
  if (refuted_) return std::nullopt;
  if (const auto run = doubted_.find_run(std::min(sustained_run, options_->max_held / 4)))
    return run;
  if (!claimed_twice_) return std::nullopt;
  while (!doubted_.empty() && doubted_.begin() + allowance() < *claimed_twice_)
    figures_->out_of_window += doubted_.take_front().content.view().size();
  if (doubted_.empty() || doubted_.begin() >= *claimed_twice_) return std::nullopt;
  return doubted_.begin();
}

/// No acknowledgement will tell: all before the position that is believed is dropped, or everything
/// where there is none.
void stream::resolve_doubted(timestamp time) {
  const auto found = believed_position();
  if (!found) return forget_doubted();
  while (doubted_.begin() < *found)
    figures_->out_of_window += doubted_.take_front().content.view().size();
  if (state_ == state::guessed) settle_start(time);
  settle_until(*found, time);
  resynchronize(time);
}

// -- limit and end --------------------------------------------------------------------------------

void stream::enforce_limit(timestamp time) {
  while (held() > options_->max_held) {
    if (doubted_.cost() > held_.cost()) {
      resolve_doubted(time);
    } else {
      if (state_ == state::guessed) settle_start(time);
      if (!held_.empty()) settle_until(held_.begin(), time);
    }
  }
}

void stream::finish(timestamp time) {
  if (state_ == state::guessed) settle_start(time);
  if (state_ != state::settled) return;
  if (!held_.empty()) settle_until(held_.end(), time);
  if (unseen_ack_ && *unseen_ack_ > high() + 1 && *unseen_ack_ <= high() + allowance())
    confirm(*unseen_ack_, time);
  if (fin_) settle_until(*fin_, time);
  while (!doubted_.empty()) {
    // What follows on the rest without a hole needs no belief.
    if (adopt_doubted(next_ + 1))
      deliver_ready(time);
    else
      resolve_doubted(time);
  }
  if (!held_.empty()) settle_until(held_.end(), time);
  if (fin_) settle_until(*fin_, time);
}

} // namespace weir
