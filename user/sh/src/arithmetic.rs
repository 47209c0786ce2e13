//! `$((expression))`: C's integer expressions over variables, 64 bits, wrapping.

use crate::expand::{Environment, Failure};
use crate::syntax::is_name;
use alloc::string::String;
use alloc::vec::Vec;

/// How deep parentheses and signs may be nested.
const DEEPEST: usize = 64;

/// The value of an expression. Assignments in it are made.
pub fn evaluate(environment: &mut dyn Environment, expression: &[u8]) -> Result<i64, Failure> {
    let mut evaluation = Evaluation { environment, expression, at: 0, depth: 0, live: true };
    evaluation.skip_blanks();
    if evaluation.at == expression.len() {
        return Ok(0);
    }
    let value = evaluation.assignment()?;
    if evaluation.at == expression.len() { Ok(value) } else { Err(evaluation.syntax_error()) }
}

/// Binary operators by level, loosest first. Within a level longer ones come first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// What may stand before `=` in an assignment.
const ASSIGNING: [&str; 11] = ["", "<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^"];

struct Evaluation<'a> {
    environment: &'a mut dyn Environment,
    expression: &'a [u8],
    at: usize,
    depth: usize,
    /// Off where the value isn't wanted: nothing is assigned there, and nothing can go wrong.
    live: bool,
}

impl Evaluation<'_> {
    fn rest(&self) -> &[u8] {
        &self.expression[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    /// Steps over `sign` and blanks if it comes next.
    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign.as_bytes());
        if found {
            self.at += sign.len();
            self.skip_blanks();
        }
        found
    }

    fn syntax_error(&self) -> Failure {
        Failure::of(self.expression, "arithmetic syntax error")
    }

    fn assignment(&mut self) -> Result<i64, Failure> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Failure::of(b"arithmetic", "nested too deeply"));
        }
        let value = match self.assigned_name() {
            Some((name, operator)) => {
                let right = self.assignment()?;
                let value = match operator {
                    "" => right,
                    operator => {
                        let left = self.variable(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                if self.live {
                    self.environment.assign(&name, alloc::format!("{value}").as_bytes())?;
                }
                value
            }
            None => self.choice()?,
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Steps over `name operator=` if that comes next.
    fn assigned_name(&mut self) -> Option<(Vec<u8>, &'static str)> {
        let start = self.at;
        let name = self.name()?;
        for operator in ASSIGNING {
            let before = self.at;
            let equals = self.rest().strip_prefix(operator.as_bytes()).unwrap_or_default();
            if equals.starts_with(b"=") && !equals.starts_with(b"==") {
                self.at = before + operator.len() + 1;
                self.skip_blanks();
                return Some((name, operator));
            }
        }
        self.at = start;
        None
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        let name_byte = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let name = self.rest()[..self.rest().iter().take_while(name_byte).count()].to_vec();
        is_name(&name).then(|| {
            self.at += name.len();
            self.skip_blanks();
            name
        })
    }

    /// Does `work` with its effects only if `wanted`.
    fn only_if<T>(&mut self, wanted: bool, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.live;
        self.live &= wanted;
        let result = work(self);
        self.live = before;
        result
    }

    /// `a ? b : c`
    fn choice(&mut self) -> Result<i64, Failure> {
        let condition = self.binary(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let yes = self.only_if(condition != 0, Self::assignment)?;
        if !self.take(":") {
            return Err(self.syntax_error());
        }
        let no = self.only_if(condition == 0, Self::assignment)?;
        Ok(if condition != 0 { yes } else { no })
    }

    /// Operators of this level and tighter ones.
    fn binary(&mut self, level: usize) -> Result<i64, Failure> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let wanted = match operator {
                "||" => left == 0,
                "&&" => left != 0,
                _ => true,
            };
            let right = self.only_if(wanted, |inner| inner.binary(level + 1))?;
            left = self.apply(operator, left, right)?;
        }
        Ok(left)
    }

    /// Steps over one of these operators; part of a longer one does not count.
    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let rest = self.rest();
        let found = operators.iter().find(|operator| rest.starts_with(operator.as_bytes()))?;
        let longer: &[&str] = match *found {
            "|" => &["||"],
            "&" => &["&&"],
            "<" => &["<<"],
            ">" => &[">>"],
            _ => &[],
        };
        if longer.iter().any(|longer| rest.starts_with(longer.as_bytes())) {
            return None;
        }
        self.take(found);
        Some(found)
    }

    fn apply(&self, operator: &str, a: i64, b: i64) -> Result<i64, Failure> {
        Ok(match operator {
            "||" => i64::from(a != 0 || b != 0),
            "&&" => i64::from(a != 0 && b != 0),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "<<" => a.wrapping_shl(b as u32),
            ">>" => a.wrapping_shr(b as u32),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            _ if b == 0 && self.live => return Err(Failure("division by zero".into())),
            _ if b == 0 => 0,
            "/" => a.wrapping_div(b),
            _ => a.wrapping_rem(b),
        })
    }

    fn unary(&mut self) -> Result<i64, Failure> {
        // A row of signs is a loop, not a recursion.
        let mut signs = Vec::new();
        while let Some(sign) = ["-", "+", "!", "~"].iter().find(|sign| self.take(sign)) {
            signs.push(*sign);
        }
        let mut value = self.operand()?;
        for sign in signs.iter().rev() {
            value = match *sign {
                "-" => value.wrapping_neg(),
                "!" => i64::from(value == 0),
                "~" => !value,
                _ => value,
            };
        }
        Ok(value)
    }

    fn operand(&mut self) -> Result<i64, Failure> {
        if self.take("(") {
            let value = self.assignment()?;
            return if self.take(")") { Ok(value) } else { Err(self.syntax_error()) };
        }
        if let Some(name) = self.name() {
            return self.variable(&name);
        }
        let len = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let value = number(&self.rest()[..len]).ok_or_else(|| self.syntax_error())?;
        self.at += len;
        self.skip_blanks();
        Ok(value)
    }

    fn variable(&mut self, name: &[u8]) -> Result<i64, Failure> {
        let Some(value) = self.environment.variable(name) else { return Ok(0) };
        let value = value.trim_ascii();
        if value.is_empty() || !self.live {
            return Ok(0);
        }
        let (digits, negative) = match value {
            [b'-', digits @ ..] => (digits, true),
            [b'+', digits @ ..] => (digits, false),
            digits => (digits, false),
        };
        let number = number(digits).ok_or_else(|| {
            Failure::of(name, alloc::format!("bad number: {}", String::from_utf8_lossy(value)))
        })?;
        Ok(if negative { number.wrapping_neg() } else { number })
    }
}

/// A number as C writes it: decimal, octal after `0`, hexadecimal after `0x`. Too large ones wrap, as
/// everything else does.
fn number(text: &[u8]) -> Option<i64> {
    let (digits, radix) = match text {
        [b'0', b'x' | b'X', digits @ ..] => (digits, 16),
        [b'0', digits @ ..] if !digits.is_empty() => (digits, 8),
        digits => (digits, 10),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |value, byte| {
        let digit = char::from(*byte).to_digit(radix)?;
        Some(value.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(digit)))
    })
}
