// Words that several panels use.
import { register } from "../i18n";

register({
  zh: {
    "common.unreachable": "连不上服务器。请检查网络后再试；电话派单照常进行。",
    "common.forbidden": "当前账号没有这项权限。请点右上角的账号，换有权限的账号登录。",
    "common.close": "收起",
    "common.cancel": "取消",
    "common.more": "再显示 {n} 条",
    "common.onmap": "在地图上看",
    "common.loading": "正在读取…",
    "common.retry": "重试",
    "common.nothing": "没有",
    "common.comma": "，",
  },
  en: {
    "common.unreachable": "The server can't be reached. Check the network and try again, dispatch by phone meanwhile.",
    "common.forbidden": "This account may not do that. Sign in as somebody who may: your name, at the top right.",
    "common.close": "Close",
    "common.cancel": "Cancel",
    "common.more": "Show {n} more",
    "common.onmap": "Show on the map",
    "common.loading": "Reading…",
    "common.retry": "Try again",
    "common.nothing": "None",
    "common.comma": ", ",
  },
});
