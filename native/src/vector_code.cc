// Machine code of a program's steps. Registers are given out from the first step to the last; when none is left, the value
// that is needed last goes to the stack, and an input is simply read again.
#include "vector_code.h"

#if defined(__x86_64__) && !defined(_WIN32) && !defined(ORBIT_WITHOUT_ONEDNN)
#define ORBIT_VECTOR_CODE 1
#endif

#if defined(ORBIT_VECTOR_CODE)

// A namespace of its own: oneDNN holds the same classes, built with other options.
#define Xbyak OrbitXbyak
#define XBYAK_USE_MMAP_ALLOCATOR
#define XBYAK_NO_OP_NAMES
#include <xbyak/xbyak.h>

#include <algorithm>
#include <cstring>

#include "vector_steps.h"

namespace orbit {
namespace {

constexpr int kRegisters = 15;  // ymm15 is the mask of the last elements
constexpr int kNever = 1 << 30;

/// How stores are written.
enum class Mode { kPlain, kPastCaches, kTail /* fewer than eight elements */ };

class Assembler : public Xbyak::CodeGenerator {
 public:
  Assembler(const VectorSteps& program, size_t inputs, size_t outputs, size_t bytes)
      : Xbyak::CodeGenerator(bytes, Xbyak::DontSetProtectRWE), program_(program), inputs_(inputs), outputs_(outputs) {
    uses_.assign(program.steps.size(), {});
    for (size_t i = 0; i < program.steps.size(); i++)
      for (Operand operand : operandsOf(program.steps[i]))
        if (operand >= 0) uses_[static_cast<size_t>(operand)].push_back(static_cast<int>(i));
  }

  /// void (const float* const* in, float* const* out, const float* area, int64_t n)
  const void* write(bool pastCaches) {
    align(16);
    const void* entry = getCurr();
    for (const auto& r : saved()) push(r);
    mov(rbp, rsp);
    frame_ = 32 * spillSlots();
    sub(rsp, frame_);
    and_(rsp, -32);
    pointers();
    xor_(rax, rax);
    Xbyak::Label loop, tail, end;
    L(loop);
    cmp(rcx, 8);
    jl(tail, T_NEAR);
    body(pastCaches ? Mode::kPastCaches : Mode::kPlain);
    add(rax, 32);
    sub(rcx, 8);
    jmp(loop, T_NEAR);
    L(tail);
    test(rcx, rcx);
    jz(end, T_NEAR);
    neg(rcx);
    vmovups(ymm15, ptr[rdx + rcx * 4 + 32]);  // the area begins with eight set and eight cleared masks
    body(Mode::kTail);
    L(end);
    if (pastCaches) sfence();
    vzeroupper();
    mov(rsp, rbp);
    auto list = saved();
    for (size_t i = list.size(); i > 0; i--) pop(list[i - 1]);
    ret();
    return entry;
  }

 private:
  std::vector<Xbyak::Reg64> saved() const { return {rbp, rbx, r12, r13, r14, r15}; }
  static std::vector<Operand> operandsOf(const VectorStep& s) {
    switch (s.step) {
      case Step::kLoad: return {};
      case Step::kStore: case Step::kSqrt: case Step::kShiftLeft: case Step::kShiftRight: case Step::kToFloat: return {s.a};
      case Step::kFma: case Step::kBlend: return {s.a, s.b, s.c};
      default: return {s.a, s.b};
    }
  }

  /// As many as there are values at a time that are computed but not used up.
  int spillSlots() const {
    int live = 0, most = 0;
    std::vector<int> ends(uses_.size() + 1, 0);
    for (size_t i = 0; i < uses_.size(); i++) {
      if (!uses_[i].empty() && !isLoad(static_cast<int>(i))) {
        live++;
        ends[static_cast<size_t>(uses_[i].back())]++;
      }
      most = std::max(most, live);
      live -= ends[i];
    }
    return most;
  }

  /// The first streams have their pointers in registers, the others are read from the lists.
  void pointers() {
    const Xbyak::Reg64 free[] = {rbx, r8, r9, r10, r12, r13, r14, r15};
    size_t next = 0;
    in_.assign(inputs_, -1);
    out_.assign(outputs_, -1);
    auto give = [&](std::vector<int>& to, size_t i, const Xbyak::Reg64& list) {
      if (next == std::size(free) || to[i] >= 0) return;
      to[i] = free[next].getIdx();
      mov(free[next++], ptr[list + static_cast<int>(i) * 8]);
    };
    for (const VectorStep& s : program_.steps) {
      if (s.step == Step::kLoad) give(in_, static_cast<size_t>(s.immediate), rdi);
      if (s.step == Step::kStore) give(out_, static_cast<size_t>(s.immediate), rsi);
    }
  }
  Xbyak::Address stream(const std::vector<int>& known, int i, const Xbyak::Reg64& list) {
    int held = known[static_cast<size_t>(i)];
    if (held >= 0) return ptr[Xbyak::Reg64(held) + rax];
    mov(r11, ptr[list + i * 8]);
    return ptr[r11 + rax];
  }

  Xbyak::Address pool(Operand entry) { return ptr[rdx + 64 + 32 * (-1 - entry)]; }

  // --- registers ---

  struct Place {
    int reg = -1;
    int slot = -1;
  };

  bool isLoad(int value) const { return program_.steps[static_cast<size_t>(value)].step == Step::kLoad; }

  int nextUse(int value) const {
    for (int use : uses_[static_cast<size_t>(value)])
      if (use >= at_) return use;
    return kNever;
  }

  /// A free register; the value needed last makes room.
  int take() {
    int victim = -1, farthest = -1;
    for (int r = 0; r < kRegisters; r++) {
      if (pinned_[r]) continue;
      if (holds_[r] < 0) {
        pinned_[r] = true;
        return r;
      }
      int use = nextUse(holds_[r]);
      if (use > farthest) {
        farthest = use;
        victim = r;
      }
    }
    Place& place = places_[static_cast<size_t>(holds_[victim])];
    if (farthest != kNever && !isLoad(holds_[victim]) && place.slot < 0) {
      place.slot = static_cast<int>(std::find(slots_.begin(), slots_.end(), -1) - slots_.begin());
      if (place.slot == static_cast<int>(slots_.size())) slots_.push_back(-1);
      slots_[static_cast<size_t>(place.slot)] = holds_[victim];
      vmovaps(ptr[rsp + 32 * place.slot], Xbyak::Ymm(victim));
    }
    place.reg = -1;
    holds_[victim] = -1;
    pinned_[victim] = true;
    return victim;
  }

  /// A register with the operand in it.
  Xbyak::Ymm inRegister(Operand operand, Mode mode) {
    if (operand < 0) {
      int r = take();
      vmovaps(Xbyak::Ymm(r), pool(operand));
      return Xbyak::Ymm(r);
    }
    Place& place = places_[static_cast<size_t>(operand)];
    if (place.reg < 0) {
      int r = take();
      Xbyak::Ymm to(r);
      if (place.slot >= 0) vmovaps(to, ptr[rsp + 32 * place.slot]);
      else {
        Xbyak::Address from = stream(in_, program_.steps[static_cast<size_t>(operand)].immediate, rdi);
        if (mode == Mode::kTail) vmaskmovps(to, ymm15, from);
        else vmovups(to, from);
      }
      place.reg = r;
      holds_[r] = operand;
    }
    pinned_[place.reg] = true;
    return Xbyak::Ymm(place.reg);
  }

  /// Frees the registers and the stack of values that no later step needs.
  void release() {
    at_++;
    for (int r = 0; r < kRegisters; r++) {
      pinned_[r] = false;
      if (holds_[r] < 0 || nextUse(holds_[r]) != kNever) continue;
      places_[static_cast<size_t>(holds_[r])].reg = -1;
      holds_[r] = -1;
    }
    for (int& value : slots_)
      if (value >= 0 && nextUse(value) == kNever) value = -1;
    at_--;
  }

  void body(Mode mode) {
    places_.assign(program_.steps.size(), {});
    slots_.clear();
    std::fill(std::begin(holds_), std::end(holds_), -1);
    std::fill(std::begin(pinned_), std::end(pinned_), false);
    for (size_t i = 0; i < program_.steps.size(); i++) {
      at_ = static_cast<int>(i);
      emit(program_.steps[i], mode);
      release();
    }
  }

  void result(const Xbyak::Ymm& r) {
    holds_[r.getIdx()] = at_;
    places_[static_cast<size_t>(at_)].reg = r.getIdx();
  }

  void emit(const VectorStep& s, Mode mode) {
    if (s.step == Step::kLoad) return;  // read where it is first needed
    if (s.step == Step::kStore) return store(s, mode);
    Xbyak::Ymm a = inRegister(s.a, mode);
    if (s.step == Step::kFma) {
      // The sum's register takes the result: a copy where the summand is needed again.
      Xbyak::Ymm y(takeCopy(s.c, mode));
      if (s.b < 0) vfmadd231ps(y, a, pool(s.b));
      else vfmadd231ps(y, a, inRegister(s.b, mode));
      return result(y);
    }
    if (s.step == Step::kBlend) {
      Xbyak::Ymm b = inRegister(s.b, mode), c = inRegister(s.c, mode), y(take());
      vblendvps(y, a, b, c);
      return result(y);
    }
    bool unary = operandsOf(s).size() == 1;
    Xbyak::Ymm b = unary || s.b < 0 ? a : inRegister(s.b, mode);
    Xbyak::Ymm y(take());
    if (!unary && s.b < 0) binary(s, y, a, pool(s.b));
    else binary(s, y, a, b);
    result(y);
  }

  int takeCopy(Operand operand, Mode mode) {
    if (operand < 0) return inRegister(operand, mode).getIdx();
    Xbyak::Ymm from = inRegister(operand, mode);
    int r = take();
    vmovaps(Xbyak::Ymm(r), from);
    return r;
  }

  void binary(const VectorStep& s, const Xbyak::Ymm& y, const Xbyak::Ymm& a, const Xbyak::Operand& b) {
    switch (s.step) {
      case Step::kAdd: return vaddps(y, a, b);
      case Step::kSub: return vsubps(y, a, b);
      case Step::kMul: return vmulps(y, a, b);
      case Step::kDiv: return vdivps(y, a, b);
      case Step::kMax: return vmaxps(y, a, b);
      case Step::kMin: return vminps(y, a, b);
      case Step::kSqrt: return vsqrtps(y, a);
      case Step::kCompare: return vcmpps(y, a, b, static_cast<uint8_t>(s.immediate));
      case Step::kAnd: return vandps(y, a, b);
      case Step::kOr: return vorps(y, a, b);
      case Step::kXor: return vxorps(y, a, b);
      case Step::kAddInt: return vpaddd(y, a, b);
      case Step::kSubInt: return vpsubd(y, a, b);
      case Step::kShiftLeft: return vpslld(y, a, static_cast<uint8_t>(s.immediate));
      case Step::kShiftRight: return vpsrad(y, a, static_cast<uint8_t>(s.immediate));
      case Step::kToFloat: return vcvtdq2ps(y, a);
      default: return;
    }
  }

  void store(const VectorStep& s, Mode mode) {
    Xbyak::Ymm value = inRegister(s.a, mode);
    Xbyak::Address to = stream(out_, s.immediate, rsi);
    if (mode == Mode::kTail) vmaskmovps(to, ymm15, value);
    else if (mode == Mode::kPastCaches) vmovntps(to, value);
    else vmovups(to, value);
  }

  const VectorSteps& program_;
  size_t inputs_, outputs_;
  std::vector<std::vector<int>> uses_;
  std::vector<int> in_, out_;
  std::vector<Place> places_;
  std::vector<int> slots_;  // by slot: the value in it
  int holds_[kRegisters];
  bool pinned_[kRegisters];
  int at_ = 0;
  int frame_ = 0;
};

class Compiled final : public VectorCode {
 public:
  Compiled(VectorSteps steps, size_t inputs, size_t outputs)
      : steps_(std::move(steps)), assembler_(steps_, inputs, outputs, 4096 + steps_.steps.size() * 256) {
    plain_ = reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(assembler_.write(false)));
    pastCaches_ = reinterpret_cast<Function>(reinterpret_cast<uintptr_t>(assembler_.write(true)));
    assembler_.setProtectModeRE();
  }
  size_t areaFloats() const override { return 16 + 8 * steps_.pool.size(); }
  void prepare(const float* const* in, float* area) const override {
    std::memset(area, 0xff, 32);
    std::memset(area + 8, 0, 32);
    for (size_t k = 0; k < steps_.pool.size(); k++) {
      const PoolEntry& entry = steps_.pool[k];
      for (size_t i = 0; i < 8; i++) {
        if (entry.input >= 0) area[16 + 8 * k + i] = *in[entry.input];
        else std::memcpy(area + 16 + 8 * k + i, &entry.bits, 4);
      }
    }
  }
  void run(const float* const* in, float* const* out, const float* area, int64_t n) const override { plain_(in, out, area, n); }
  void runPastCaches(const float* const* in, float* const* out, const float* area, int64_t n) const override { pastCaches_(in, out, area, n); }

 private:
  using Function = void (*)(const float* const*, float* const*, const float*, int64_t);
  VectorSteps steps_;
  Assembler assembler_;
  Function plain_, pastCaches_;
};

}  // namespace

std::unique_ptr<VectorCode> compileVectors(const VectorProgram& program) {
  if (std::strcmp(tileOpsName(), "baseline") == 0) return nullptr;
  VectorSteps steps;
  if (!vectorSteps(program, steps)) return nullptr;
  try {
    return std::make_unique<Compiled>(std::move(steps), program.scalar.size(), program.stored.size());
  } catch (const std::exception&) {
    return nullptr;  // a system that lets no program make code
  }
}

}  // namespace orbit

#else

namespace orbit {
std::unique_ptr<VectorCode> compileVectors(const VectorProgram&) { return nullptr; }
}  // namespace orbit

#endif
