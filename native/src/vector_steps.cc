// The same arithmetic as tile.inc, step by step: the same bits.
#include "vector_steps.h"

namespace orbit {
namespace {

class Writer {
 public:
  explicit Writer(VectorSteps& out) : out_(out) {}

  Operand step(Step step, Operand a, Operand b = 0, Operand c = 0, int immediate = 0) {
    out_.steps.push_back({step, a, b, c, immediate});
    return static_cast<int>(out_.steps.size()) - 1;
  }
  Operand bits(uint32_t value) { return entry({-1, value}); }
  Operand number(float value) {
    uint32_t raw;
    std::memcpy(&raw, &value, 4);
    return bits(raw);
  }
  Operand scalar(int input) { return entry({input, 0}); }

  Operand add(Operand a, Operand b) { return step(Step::kAdd, a, b); }
  Operand sub(Operand a, Operand b) { return step(Step::kSub, a, b); }
  Operand mul(Operand a, Operand b) { return step(Step::kMul, a, b); }
  Operand div(Operand a, Operand b) { return step(Step::kDiv, a, b); }
  Operand larger(Operand a, Operand b) { return step(Step::kMax, a, b); }
  Operand smaller(Operand a, Operand b) { return step(Step::kMin, a, b); }
  Operand fma(Operand a, Operand b, Operand c) { return step(Step::kFma, a, b, c); }
  Operand compare(Operand a, Comparison how, Operand b) { return step(Step::kCompare, a, b, 0, how); }
  Operand both(Operand a, Operand b) { return step(Step::kAnd, a, b); }
  Operand either(Operand a, Operand b) { return step(Step::kOr, a, b); }
  Operand differ(Operand a, Operand b) { return step(Step::kXor, a, b); }
  /// `yes` where the mask is set, else `no`.
  Operand choose(Operand mask, Operand yes, Operand no) { return step(Step::kBlend, no, yes, mask); }
  /// 1 where the comparison holds, else 0.
  Operand truth(Operand a, Comparison how, Operand b) { return both(compare(a, how, b), number(1.0f)); }

  /// x, or a polynomial's value: coefficients from the highest power down, by nested fma.
  Operand polynomial(Operand x, std::initializer_list<float> coefficients) {
    const float* c = coefficients.begin();
    Operand y = fma(x, number(c[0]), number(c[1]));
    for (size_t i = 2; i < coefficients.size(); i++) y = fma(x, y, number(c[i]));
    return y;
  }

  Operand expOf(Operand x) {
    Operand clamped = larger(number(-104.0f), smaller(number(89.0f), x));
    Operand shifted = fma(clamped, number(1.442695041f), number(12582912.0f));
    Operand n = sub(shifted, number(12582912.0f));
    Operand k = step(Step::kSubInt, shifted, bits(0x4b400000));
    Operand r = fma(n, number(-1.42860677e-6f), fma(n, number(-0.693145752f), clamped));
    Operand p = polynomial(r, {0.001395041061f, 0.008368881864f, 0.04166620743f, 0.1666651887f, 0.5000000094f});
    Operand y = add(number(1.0f), fma(mul(r, r), p, r));
    Operand half = step(Step::kShiftRight, k, 0, 0, 1);
    auto power = [&](Operand e) { return step(Step::kShiftLeft, step(Step::kAddInt, e, bits(127)), 0, 0, 23); };
    y = mul(mul(y, power(half)), power(step(Step::kSubInt, k, half)));
    return choose(compare(x, kUnordered, x), x, y);
  }

  Operand logOf(Operand x) {
    Operand tiny = compare(x, kLessThan, number(1.17549435e-38f));
    Operand scaled = choose(tiny, mul(x, number(8388608.0f)), x);
    Operand raw = step(Step::kSubInt, scaled, bits(0x3f3504f3));
    Operand e = step(Step::kShiftRight, raw, 0, 0, 23);
    Operand f = sub(step(Step::kAddInt, both(raw, bits(0x007fffff)), bits(0x3f3504f3)), number(1.0f));
    Operand exponent = sub(step(Step::kToFloat, e), both(tiny, number(23.0f)));
    Operand p = polynomial(f, {-0.07859808701f, 0.1288176125f, -0.1312873723f, 0.1418117461f, -0.1662455358f, 0.2000228698f, -0.2500081044f,
                               0.3333331672f});
    Operand square = mul(f, f);
    Operand tail = fma(exponent, number(1.42860677e-6f), fma(mul(square, f), p, mul(number(-0.5f), square)));
    Operand y = fma(exponent, number(0.693145752f), add(f, tail));
    y = choose(compare(x, kEqualTo, bits(0x7f800000)), x, y);
    y = choose(compare(x, kEqualTo, number(0.0f)), bits(0xff800000), y);
    y = choose(compare(x, kLessThan, number(0.0f)), bits(0x7fc00000), y);
    return choose(compare(x, kUnordered, x), x, y);
  }

  /// c · p(c²) / q(c²) for x limited to ±limit, kept within ±1.
  Operand rational(Operand x, float limit, std::initializer_list<float> p, std::initializer_list<float> q) {
    // As tile.inc: x > limit ? limit : (x < -limit ? -limit : x), NaN passing through.
    Operand c = larger(number(-limit), smaller(number(limit), x));
    Operand s = mul(c, c);
    Operand y = div(mul(c, polynomial(s, p)), polynomial(s, q));
    return smaller(number(1.0f), larger(number(-1.0f), y));
  }
  Operand tanhOf(Operand x) {
    return rational(x, 8.6f, {-1.31281963e-11f, 3.18020589e-08f, 2.85054136e-05f, 0.00389280514f, 0.136994018f, 0.999999999f},
                    {1.3224046e-06f, 0.000398192538f, 0.027335266f, 0.470327344f, 1.0f});
  }
  Operand erfOf(Operand x) {
    return rational(x, 3.85f, {2.10826533e-06f, 0.000285670071f, 0.00367382438f, 0.052479372f, 0.187895527f, 1.12837915f},
                    {3.87315234e-05f, 0.00114547085f, 0.0147846824f, 0.113128019f, 0.499850951f, 1.0f});
  }

 private:
  Operand entry(const PoolEntry& wanted) {
    auto [at, fresh] = known_.try_emplace({wanted.input, wanted.bits}, static_cast<int>(out_.pool.size()));
    if (fresh) out_.pool.push_back(wanted);
    return -1 - at->second;
  }

  VectorSteps& out_;
  std::map<std::pair<int, uint32_t>, int> known_;
};

bool write(Writer& w, int op, Operand a, Operand b, Operand c, Operand& y) {
  auto zero = [&] { return w.number(0.0f); };
  auto one = [&] { return w.number(1.0f); };
  switch (op) {
    case kAdd: y = w.add(a, b); return true;
    case kSub: y = w.sub(a, b); return true;
    case kMul: case kAnd: y = w.mul(a, b); return true;
    case kDiv: y = w.div(a, b); return true;
    case kMax: y = w.choose(w.compare(a, kUnordered, a), a, w.larger(a, b)); return true;
    case kMin: y = w.choose(w.compare(a, kUnordered, a), a, w.smaller(a, b)); return true;
    case kGreater: y = w.truth(a, kGreaterThan, b); return true;
    case kGreaterEqual: y = w.truth(a, kAtLeast, b); return true;
    case kLess: y = w.truth(a, kLessThan, b); return true;
    case kLessEqual: y = w.truth(a, kAtMost, b); return true;
    case kEqual: y = w.truth(a, kEqualTo, b); return true;
    case kNotEqual: y = w.truth(a, kUnequal, b); return true;
    case kOr: y = w.truth(w.add(a, b), kGreaterThan, zero()); return true;
    case kSquaredDifference: { Operand d = w.sub(a, b); y = w.mul(d, d); return true; }
    case kReluGrad: y = w.mul(a, w.truth(b, kGreaterThan, zero())); return true;
    case kNeg: y = w.differ(a, w.bits(0x80000000)); return true;
    case kAbs: y = w.both(a, w.bits(0x7fffffff)); return true;
    case kSquare: y = w.mul(a, a); return true;
    case kSqrt: y = w.step(Step::kSqrt, a); return true;
    case kRsqrt: y = w.div(one(), w.step(Step::kSqrt, a)); return true;
    case kReciprocal: y = w.div(one(), a); return true;
    case kExp: y = w.expOf(a); return true;
    case kLog: y = w.logOf(a); return true;
    case kTanh: y = w.tanhOf(a); return true;
    case kSigmoid: y = w.div(one(), w.add(one(), w.expOf(w.differ(a, w.bits(0x80000000))))); return true;
    case kErf: y = w.erfOf(a); return true;
    // A comparison with NaN gives the second operand, as in x < 0 ? 0 : x.
    case kRelu: y = w.larger(zero(), a); return true;
    case kRelu6: y = w.larger(zero(), w.smaller(w.number(6.0f), a)); return true;
    case kStep: y = w.choose(w.compare(a, kUnordered, a), a, w.truth(a, kGreaterThan, zero())); return true;
    case kNot: y = w.truth(a, kEqualTo, zero()); return true;
    case kSign: y = w.either(w.truth(a, kGreaterThan, zero()), w.both(w.compare(a, kLessThan, zero()), w.number(-1.0f))); return true;
    case kIsNan: y = w.truth(a, kUnordered, a); return true;
    case kCopy: y = a; return true;
    case kSelect: y = w.choose(w.compare(a, kUnequal, zero()), b, c); return true;
    default: return false;
  }
}

}  // namespace

bool vectorSteps(const VectorProgram& program, VectorSteps& out) {
  Writer w(out);
  std::vector<Operand> values;
  // Stored at once, so that the value's register is free again.
  auto add = [&](Operand value) {
    for (size_t k = 0; k < program.stored.size(); k++)
      if (program.stored[k] == static_cast<int>(values.size())) w.step(Step::kStore, value, 0, 0, static_cast<int>(k));
    values.push_back(value);
  };
  for (size_t i = 0; i < program.scalar.size(); i++) {
    int input = static_cast<int>(i);
    add(program.scalar[i] ? w.scalar(input) : w.step(Step::kLoad, 0, 0, 0, input));
  }
  for (float constant : program.constants) add(w.number(constant));
  for (const auto& instruction : program.instructions) {
    auto operand = [&](int k) { return instruction.operands[k] < 0 ? 0 : values[static_cast<size_t>(instruction.operands[k])]; };
    Operand y = 0;
    if (!write(w, instruction.op, operand(0), operand(1), operand(2), y)) return false;
    add(y);
  }
  return true;
}

}  // namespace orbit
