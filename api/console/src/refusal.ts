// What the server refuses, in the page's language. The server speaks English to all its clients; where the page speaks
// Chinese, its sentences are told by the table below: what is wrong first, then, where there is something, what to do.
// A sentence that is not in the table is introduced by its kind and quoted as it came, so nothing is lost.
import { dayTime } from "./format";
import { language, t } from "./i18n";
import { Problem } from "./panel";

type Put = string | ((found: RegExpExecArray) => string);

const state = (word: string): string => {
  for (const key of [`em.state.${word}`, `me.state.${word}`, `rd.state.${word}`]) {
    const said = t(key);
    if (said !== key) return `“${said}”`;
  }
  return word;
};

const WHY: Record<string, string> = {
  "it is over": "已经办结，不能再操作",
  "it is not over": "还没有办结",
  "no confirmation is awaited": "不在等待确认",
  "a confirmation is awaited": "还在等待确认，请先确认",
  "nothing is followed up before somebody is there": "要有人到场后才能跟进",
  "nobody is on scene who could have helped": "还没有人到场，不能这样办结",
  "only what is resolved is evaluated": "办结之后才能评价",
  "no unit on it can do that": "在办人员没有一个能走这一步，可能已被别人操作过",
  "several units are on it, name one": "有几组人员在办，请指明哪一组",
  "only what is received or planned can be loaded": "只有已接单或已排线的订单才能装车",
  "no unit has it in its plan, name one": "还没有车辆排上它，请指明车辆",
  "only what is loaded can be on its way": "装车之后才能出发",
  "only what is on its way can be delivered": "出发之后才能送达",
  "it was not loaded, so nobody was at the door": "还没有装车，谈不上敲门无人",
  "it was not loaded, so nothing became of the meal": "还没有装车，谈不上餐食去向",
  "only what is planned can be promised": "只有已排定的巡查才能约定时间",
};

const HOURS = /\/(?:working|hours|shift|open)$/; // what the reader of opening hours finds wrong in them is for those who write it
const HOURS_HOW = "要写成 Mo-Fr 08:30-12:00,14:00-17:30 的样子";

const RANGE: [RegExp, Put][] = [
  [/^(?:[\w ]+ )?(?:has to be|is|must be) a whole number from (\S+) to ([^\s,]+)(?:, or (?:four of them|null).*)?$/, (m) => `要填 ${m[1]} 到 ${m[2]} 的整数`],
  [/^(?:[\w ]+ )?(?:is|must be) a(?: whole)? number from (\S+) to (\S+)$/, (m) => `要填 ${m[1]} 到 ${m[2]} 的数字`],
  [/^(?:a )?whole number from (\S+) to (\S+)$/, (m) => `要填 ${m[1]} 到 ${m[2]} 的整数`],
  [/^(?:\w+ must be from )?(\d+) to (\d+)$/, (m) => `要在 ${m[1]} 到 ${m[2]} 之间`],
  [/^is a list of (\d+) whole numbers from (\S+) to (\S+)$/, (m) => `要填 ${m[1]} 个 ${m[2]} 到 ${m[3]} 的整数`],
  [/^weights is a list of four whole numbers from 1 to 1000$/, "要填四个 1 到 1000 的整数"],
  [/^clocks_s is a list of five whole numbers/, "要填五个整数（秒，0 表示不限），或四组这样的数"],
  [/^(?:[\w ]+ )?(?:has to be|is) true or false/, "只能是“是”或“否”"],
  [/^(?:a )?whole number(?:, at least 1)?$/, "要填整数"],
  [/^a number$|must be a number$/, "要填数字"],
  [/^\w* ?is (?:missing|not 1 to 5)$/, "还没有填，或填得不对"],
  [/^is out of (?:its )?range$|^\w+ is out of range$/, "超出范围"],
  [/is empty or too long$/, "为空或太长"],
  [/is none of its values$|^(?:\w+ must be )?one of |^is .* or [\w_]+$/, "不在可选的值里"],
  [/^severity is 1 to 4$|^is 1 \(low\) to 4$/, "等级只能是 1 到 4"],
];

const TIMES: [RegExp, Put][] = [
  [/^ends before it begins$/, "结束早于开始，请改时间"],
  [/^is after the end of due$/, "晚于送达时段的结尾"],
  [/^it is over$/, "这个时段已经过去，请改晚些"],
  [/^cut-off: kitchen (\S+) took orders for this time until (.+)$/, (m) => `厨房 ${m[1]} 已过截止（${m[2]}），请改晚些的时段或换一家厨房`],
  [/^kitchen (\S+) is out of order at (.+)$/, (m) => `厨房 ${m[1]} 在 ${m[2]} 停供，请换一家厨房`],
  [/^kitchen (\S+) is closed at (.+)$/, (m) => `厨房 ${m[1]} 在 ${m[2]} 不营业，请改时段或换一家厨房`],
  [/^kitchen (\S+) does not cook (.+)$/, (m) => `厨房 ${m[1]} 做不了“${m[2]}”，请换一家厨房或改餐型`],
  [/is a time of the day, like "10:30", or null$/, "要写成 10:30 这样的时刻，或空着"],
  [/opening hours/, HOURS_HOW],
  [/^(?:a time|must be a day or a time), like/, "要写成日期或时间"],
  [/names a day twice$/, "有一天写了两遍"],
  [/^(\S+) is among the holidays as well$/, (m) => `${m[1]} 同时写在节假日里，只能留一处`],
  [/^is neither "2026-10-01"/, "日期要写成 2026-10-01，或一段不超过一年的日期"],
  [/^is more than 31 days ago$/, "是 31 天以前的事，太早了"],
  [/^is more than a year ahead$/, "在一年以后，太远了"],
  [/^is before the start, or more than a day after it$/, "早于开始，或超过一天"],
  [/^is missing, or yet to come$/, "没有填，或还没有到"],
  [/^is not later than the date it has$/, "要晚于现在的期限"],
  [/^the days of this round are over$/, "这个方案的日子已经过完了"],
];

const OTHER: [RegExp, Put][] = [
  [/^(?:incident|order|visit) (\S+) is (\w+): (.+)$/, (m) => `${m[1]} 现在是${state(m[2]!)}：${WHY[m[3]!] ?? m[3]}`],
  [/^unit (\S+) is not on incident \S+$/, (m) => `${m[1]} 不在这件警情上，可能已被改派`],
  [/^unit (\S+) is on incident (\S+)( already)?$/, (m) => `${m[1]} 正在办 ${m[2]}，请另派一组`],
  [/^unit (\S+) is (\w+) on incident \S+$/, (m) => `${m[1]} 在这件警情上已是${state(m[2]!)}`],
  [/^unit (\S+) is off duty, unqualified or can't get there$/, (m) => `${m[1]} 不在岗、没有所需技能或到不了那里，请另派一组`],
  [/^order (\S+) is with unit (\S+), not (\S+)$/, (m) => `订单 ${m[1]} 在 ${m[2]} 上，不在 ${m[3]} 上`],
  [/^(?:no incident \S+|there is no such (?:incident|order|visit|rectification|id|round))$/, "没有这一条，可能已被删除"],
  [/^there is no (?:unit|inspector) (\S+)$/, (m) => `没有 ${m[1]} 这个单位`],
  [/^there is no household (\S+)( with a place)?$/, (m) => `没有 ${m[1]} 这一户`],
  [/^there is no (?:kitchen|facility|site) (\S+)$/, (m) => `没有 ${m[1]} 这个点位`],
  [/^there is no (\w+\/\S+)$/, (m) => `登记中没有 ${m[1]}`],
  [/^(?:there is no|this server has no|nothing is planned: there is no) store\b/, "此服务器没有登记库，只有道路"],
  [/^there is no regime of that name$/, "没有这个预案，可能已被删除"],
  [/ was changed meanwhile$|^the round was re-planned meanwhile$/, "刚刚被别人改过，请看清现状再操作"],
  [/^the round was withdrawn/, "这个方案已经撤回"],
  [/^others are being planned for; try again$/, "正在排别的方案，请过一会儿再试"],
  [/^lon and lat are no place on Earth$/, "这个位置不在地球上"],
  [/^a household, or lon and lat, are missing$/, "还没有选地点"],
  [/^a regime that is on names the zone: take that back first$/, "有预案正在用这个区域，请先解除预案"],
  [/^the unit is on an incident$/, "该单位正在办警情，办完再改"],
  [/^(\S+) is on: take it back first$/, (m) => `预案“${m[1]}”正在启用，请先解除`],
  [/^a regime names (\d+) things? that (?:is|are) not in the registry: (.+)$/, (m) => `预案里有 ${m[1]} 处登记中没有：${m[2]}`],
  [/^why names the order or file/, "依据编号只能用字母、数字和 . _ : -，最多 64 个"],
  [/^rectification (\S+) is closed$/, (m) => `整改 ${m[1]} 已经销号`],
  [/^it rose to the (\w+), who alone can extend it now$/, (m) => `已升级到${LEVELS[m[1]!] ?? m[1]}，只有那一级能延期`],
  [/^an extension says why$/, "延期要写明理由"],
  [/^an admin alone speaks for the district$/, "区一级的决定只有管理员能做"],
  [/^(\d+) m away from the site, so say why$/, (m) => `打卡位置离点位 ${m[1]} 米，请说明原因`],
  [/^without the place of the check-in, say a reason$/, "没有打卡位置，请说明原因"],
  [/^is missing, or neither http nor https$/, "网址要以 http 或 https 开头"],
  [/^a second look is somebody else's than who closed it$/, "复查要由另一名督导员去"],
  [/^nobody is planned, name one$/, "还没有安排人，请指明督导员"],
  [/^visits are by week or by month, not both$/, "按周或按月，只能选一种"],
  [/^the least gap is greater than the greatest$/, "最短间隔大于最长间隔"],
  [/^a graver hazard has more time than a lesser one$/, "较重的隐患期限不能长于较轻的"],
  [/^a higher rank may give less than a lower one$/, "上级可延的天数不能少于下级"],
  [/^it would rise from the higher level sooner$/, "上一级的升级时间不能更短"],
  [/^the body is (?:not a|no|neither a) JSON object/, "内容不是一个 JSON 对象"],
  [/ has no (\S+)$/, (m) => `没有“${m[1]}”这一项`],
  [/^this Idempotency-Key was used for another request$/, "这个操作已经提交过，请刷新后再试"],
  [/^out of memory$|^this server has no store$|^the store can't be written$|^not done: /, "服务器暂时存不下，操作没有完成，请稍后再试并告诉管理员"],
  [/^the token is of another district$/, "你的账号属于别的辖区"],
  [/self-intersect|crosses itself/i, "边界自己交叉了，请重画"],
];

const LEVELS: Record<string, string> = { community: "社区", sub_district: "街道", district: "区" };
const TABLE = [...TIMES, ...OTHER, ...RANGE];

// What the office calls a member of a body: "/due" is the window, "/kinds/sos/promise_s" a promise.
const FIELDS: Record<string, string> = {
  due: "时段", ready: "出餐时间", kitchen: "厨房", household: "住户", load: "份数", diets: "餐型", unit: "单位", note: "备注",
  reason: "原因", rating: "评分", kind: "种类", severity: "等级", outcome: "结果", inspector: "督导员", second: "同行督导员",
  hazards: "隐患", text: "内容", at: "时间", from: "开始", until: "结束", to: "结束", start: "开始", end: "结束", weeks: "周数",
  site: "点位", sites: "点位", inspectors: "督导员", rank: "层级", visit: "巡查", lon: "位置", lat: "位置", why: "依据",
};

function fieldText(pointer: string): string {
  return pointer.split("/").slice(1).map((part) => {
    if (/^\d+$/.test(part)) return `第 ${Number(part) + 1} 项`;
    const key = `st.f.${part}`;
    const said = t(key);
    return FIELDS[part] ?? (said === key ? part : said);
  }).join(" › ");
}

function told(sentence: string): string | undefined {
  for (const [pattern, put] of TABLE) {
    const found = pattern.exec(sentence);
    if (found) return typeof put === "string" ? put : put(found);
  }
  return undefined;
}

const KIND: Record<number, string> = {
  400: "提交的内容有误", 403: "当前账号没有这项权限", 404: "没有找到", 409: "与现状冲突，可能别人刚操作过", 412: "刚刚被别人改过",
  413: "内容太大", 422: "提交的内容不符合规定", 429: "操作太频繁，请稍后再试", 503: "服务器正忙，请稍后再试",
};

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g; // the server tells moments in UTC; the office has a clock of its own

// "/due: ends before it begins", "promise_s is ... (/kinds/sos/promise_s)": where, and what.
function parted(detail: string): { pointer: string; sentence: string } {
  const before = /^(\/[^\s:]*): ([^]*)$/.exec(detail);
  if (before) return { pointer: before[1]!, sentence: before[2]! };
  const behind = /^([^]*) \((\/[^\s):]*)(?:: [^]*)?\)$/.exec(detail);
  return behind ? { pointer: behind[2]!, sentence: behind[1]! } : { pointer: "", sentence: detail };
}

// The server's refusal as the page says it. `short`: without the place, where the form shows it.
export function refusalText(problem: Problem, short = false): string {
  const detail = (problem.detail || problem.title).replace(TIME, (time) => dayTime(Date.parse(time)));
  const { pointer, sentence } = parted(detail);
  if (language() !== "zh") return short ? sentence : detail;
  const place = short || pointer === "" ? "" : `${fieldText(pointer)}：`;
  const said = told(sentence) ?? (HOURS.test(pointer) ? HOURS_HOW : undefined);
  if (said !== undefined) return `${place}${said}。`;
  const kind = KIND[problem.status] ?? "服务器没有接受";
  return problem.detail === "" ? `${kind}。` : `${place}${kind}。服务器说明：${sentence}`;
}
