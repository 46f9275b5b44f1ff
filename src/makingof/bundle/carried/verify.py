#!/usr/bin/env python3
"""Checks a makingof package with nothing but Python 3.8 or newer: no installation, no network.

    python3 verify.py PACKAGE.zip [--lang en|zh]

PACKAGE is the zip or its unpacked folder. Nothing is unpacked or written. The
exit code is 0 where nothing failed, 1 where something did, 2 for a wrong call.

Take this file from makingof itself. A copy that lies in a package comes from
the party whose record is being checked, who could have replaced it.

It checks files, signatures, the log and its proofs. It does not check time
stamps (openssl does, and the package's first page says how), does not run the
lineage rule, and does not make the tables again: `makingof verify` does. The
steps and their words are those of `docs/spec/package.md`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
import struct
import sys
import zlib
from bisect import bisect_left

MAX_SMALL = 64 << 20
MAX_LINES = 256 << 20
MAX_COPY = 1 << 30
CHUNK = 1 << 18
NAMESPACE = b"makingof-package"
FORMAT = "makingof-package/1"
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
TAGS = ("00-READ-ME-FIRST.html", "bag-info.txt", "bagit.txt", "check.html",
        "manifest-sha256.txt", "manifest-sha256.txt.sig", "verify.py")  # fmt: skip
PAYLOAD = ("data/log/allowed_signers", "data/log/checkpoint", "data/log/entries.jsonl", "data/log/key.pem",
           "data/log/key.vkey", "data/log/ranges", "data/package.json", "data/parts.jsonl",
           "data/ro-crate-metadata.json")  # fmt: skip

# The words are those of makingof's own catalogue; a test compares them.
TEXTS = json.loads(r"""{
"alternatives_missing": {"en": "choices about these pictures name what else there was, and {count} of it have no entry in this package", "zh": "关于这些图片的取舍所涉及的对象中，有 {count} 个的记录不在包内"},
"attested": {"en": "Who acted, how it was learned, and the environment are the recorder's word. They are attested and never proved: an owner can alter his own recorder.", "zh": "行为人、获知方式与运行环境系记录程序的陈述，并未得到证明：所有者可以改动自己的记录程序。"},
"because": {"en": "in detail: {reason}", "zh": "详情：{reason}"},
"between_after": {"en": "not later than {not_after}", "zh": "不晚于 {not_after}"},
"between_before": {"en": "after {not_before}", "zh": "在 {not_before} 之后"},
"between_both": {"en": "after {not_before} and not later than {not_after}", "zh": "在 {not_before} 之后、不晚于 {not_after}"},
"between_none": {"en": "at a time not yet dated", "zh": "尚未标定"},
"bound_line": {"en": "event {position}, {kind} ({means}): written {between}", "zh": "事件 {position}，{kind}（{means}），写入时间：{between}"},
"bound_one": {"en": "{at} (one authority says: {by})", "zh": "{at}（仅一家机构称：{by}）"},
"bound_two": {"en": "{at} ({by})", "zh": "{at}（{by}）"},
"bounds_of_record": {"en": "Time stamps bound when a record was written, never when the thing recorded happened.", "zh": "时间戳限定的是记录写入的时间，而不是所记录之事发生的时间。"},
"copy_lacks": {"en": "file {number} is a copy without {pieces} ({bytes} bytes); that these stood in the original is the recorder's word", "zh": "文件 {number} 是复制件，缺少 {pieces}（{bytes} 字节）；原件中确有这些数据段，系记录程序的陈述"},
"failed": {"en": "FAILED", "zh": "不通过"},
"failed_carried": {"en": "A verifier in this package was replaced: do not run it.", "zh": "包内附带的核验程序已被替换：请勿运行。"},
"failed_checkpoint": {"en": "The head of the log is not signed with this log's key, or the key is not the one the log is named after.", "zh": "日志头并非由该日志的密钥签名，或该密钥与日志名称不符。"},
"failed_container": {"en": "The package cannot be read safely: different programs could see different contents in it.", "zh": "无法安全读取本包：不同的程序可能读出不同的内容。"},
"failed_entries": {"en": "Entries in this package are not the ones the log's signed head commits to, or they stand elsewhere.", "zh": "包内记录与日志签名头所承诺的不符，或位置不同。"},
"failed_files": {"en": "A picture or document in this package is not the one that was recorded.", "zh": "包内有图片或文件不是所记录的那一个。"},
"failed_hashes": {"en": "Files were changed after the package was made: {names}", "zh": "以下文件在成包之后被改动：{names}"},
"failed_lineage": {"en": "Something that belongs to these pictures by the published rule is left out.", "zh": "按公开规则属于这些图片的内容有遗漏。"},
"failed_listed": {"en": "The package does not hold exactly the files it lists: something was added, taken out or renamed.", "zh": "包内文件与清单不符：有文件被添加、取走或改名。"},
"failed_opened": {"en": "What was opened apart from the package does not belong to it: it is not what was sealed.", "zh": "另行公开的内容不属于本包：它不是当初封存的内容。"},
"failed_parts": {"en": "A statement in this package is not one the log commits to: it was exchanged, added or put elsewhere.", "zh": "包内有陈述不是日志所承诺的：它被替换、添加或挪到了别处。"},
"failed_proofs": {"en": "A single proof in this package does not lead to the head of the log.", "zh": "包内有单独证明不能指向日志头。"},
"failed_signature": {"en": "The list of files is not signed with this log's key: somebody else put the package together or altered it.", "zh": "文件清单并非由该日志的密钥签名：本包由他人拼凑或改动过。"},
"failed_sm3": {"en": "An SM3 value in the table of files is not that of its file: {names}", "zh": "文件清单中有 SM3 值与文件不符：{names}"},
"failed_stamps": {"en": "A stamped head does not belong to the history this package shows: there are two histories.", "zh": "有盖有时间戳的日志头不属于本包所示的历史：存在两份不同的历史。"},
"failed_streams": {"en": "The numbering of a run contradicts itself: a number stands twice, or after its run was closed.", "zh": "运行编号自相矛盾：有编号重复，或出现在运行结束之后。"},
"failed_time": {"en": "A time stamp is forged or damaged, or two of them exclude each other.", "zh": "有时间戳系伪造或已损坏，或两个时间戳相互矛盾。"},
"failed_views": {"en": "A table or listing in this package says something else than the log: {names}", "zh": "包内的表格或清单与日志不一致：{names}"},
"no_advice": {"en": "This is not legal advice.", "zh": "本结果不构成法律意见。"},
"not_brief": {"en": "file {number} is left out as not needed, and by the rule it must be here whole", "zh": "文件 {number} 以无需附带为由未收入原件，而按规则必须完整收入"},
"not_checked": {"en": "Not checked here: {titles}.", "zh": "本次未核验：{titles}。"},
"one_of_several": {"en": "The record could be one of several: no independent witness has co-signed this log.", "zh": "该记录可能只是多份记录之一：没有独立见证方对本日志联署。"},
"passed": {"en": "ok", "zh": "通过"},
"passed_carried": {"en": "the copies in the package are those of a release this program knows; get your own all the same", "zh": "包内附带的核验程序与本程序所知版本一致；仍请自行取得"},
"passed_checkpoint": {"en": "the log had {size} entries when this package was taken from it", "zh": "取出本包时该日志共有 {size} 条记录"},
"passed_container": {"en": "files: {files}", "zh": "共 {files} 个文件"},
"passed_entries": {"en": "entries: {entries}, in unbroken runs: {ranges}; all stand where they say and after what they say came before", "zh": "{entries} 条记录（{ranges} 段连续区间）均位于所称位置，且在其所称的先前记录之后"},
"passed_files": {"en": "originals: {originals}; copies that lack only the segments named: {copies}; previews, which are no evidence: {previews}; not in the package: {absent}", "zh": "原件 {originals} 个；仅缺少所列数据段的复制件 {copies} 个；缩略图 {previews} 个（不是证据）；未包含在包内 {absent} 个"},
"passed_hashes": {"en": "bytes read: {bytes}; every file has the SHA-256 listed for it", "zh": "读取 {bytes} 字节，每个文件的 SHA-256 均与清单一致"},
"passed_lineage": {"en": "by the published rule, {count} of the entries shown belong to the pictures, as listed; {unseen} of the log's {size} entries are not in this package, and one of them could speak of the pictures too", "zh": "按公开规则，所示记录中有 {count} 个事件属于这些图片，与清单一致；日志共 {size} 条记录，其中 {unseen} 条不在包内，它们也可能涉及这些图片"},
"passed_listed": {"en": "files listed: {files}; none is missing and none is there that is not listed", "zh": "清单列出 {files} 个文件，无缺失，也无清单之外的文件"},
"passed_opened": {"en": "opened apart from the package, and belonging to it: statements: {parts}, files: {files}", "zh": "另行公开的 {parts} 项陈述和 {files} 个文件确属本包"},
"passed_parts": {"en": "statements shown: {shown}, sealed: {sealed}, erased: {erased}; none was exchanged or added", "zh": "展示 {shown} 项陈述，封存 {sealed} 项，已删除 {erased} 项；没有被替换或添加的陈述"},
"passed_proofs": {"en": "single proofs: {count}; all lead to the same head of the log", "zh": "{count} 份单独证明均指向同一日志头"},
"passed_signature": {"en": "signed by {origin}; compare this name with one you were given by another way", "zh": "签名者为 {origin}；请与您从其他途径得到的名称比对"},
"passed_sm3": {"en": "computed anew, and equal: {count}", "zh": "重新计算 {count} 个值，均一致"},
"passed_stamps": {"en": "stamped heads: {stamps}, all on one line with this package's head; receipts: {receipts}", "zh": "{stamps} 个盖有时间戳的日志头与本包日志头前后一致；共 {receipts} 份回执"},
"passed_streams": {"en": "runs drawn on: {streams}; single acts: {acts}; other runs in the same stretch of the log: {others}", "zh": "涉及 {streams} 次运行、{acts} 项单独操作；同一段日志中另有 {others} 次其他运行"},
"passed_time": {"en": "of {count} events, dated by two authorities: {dated}, by one only: {one}", "zh": "{count} 个事件中，{dated} 个由两家机构标定时间，{one} 个仅由一家标定"},
"passed_views": {"en": "made again from the entries, and equal: {names}", "zh": "由记录重新生成，结果一致：{names}"},
"second_looks": {"en": "{tool}: its own history was compared with the log {looks} times, the last time at entry {position}, when it held {jobs} jobs; jobs it held and the log has not: {missing}", "zh": "{tool}：其自身历史与日志比对 {looks} 次，最后一次在第 {position} 条记录处，当时存有 {jobs} 个任务；其中日志没有的任务：{missing} 个"},
"skipped": {"en": "not checked", "zh": "未核验"},
"skipped_after": {"en": "not reached", "zh": "未进行到此步"},
"skipped_carried": {"en": "the package is by {made_with}, which this program does not know: do not run the copies in it", "zh": "本包由 {made_with} 生成，本程序不了解该版本：请勿运行包内附带的程序"},
"skipped_carried_here": {"en": "they are the ones the exporter signed for; whether they are genuine only makingof verify can tell: get your own", "zh": "与导出者签名所指一致；是否为正版只有 makingof verify 才能判断：请自行取得"},
"skipped_findings": {"en": "not checked here; they are the exporter's words: {names}", "zh": "此处未核验，系导出者的陈述：{names}"},
"skipped_lineage": {"en": "statements that link the pictures are sealed or were erased, so the rule cannot be run in full; the exporter's own list has {count} events", "zh": "关联图片的陈述被封存或已删除，无法完整套用规则；导出者自列的清单有 {count} 个事件"},
"skipped_lineage_here": {"en": "the published rule is not run by this program; the exporter's own list has {count} events", "zh": "本程序不套用公开规则；导出者自列的清单有 {count} 个事件"},
"skipped_sm3": {"en": "not computed anew, for it takes longer than all the rest; they are the exporter's word", "zh": "因耗时超过其余全部核验而未重新计算；系导出者的陈述"},
"skipped_time": {"en": "not yet dated: no receipt in this package is from an authority you trust", "zh": "尚未标定时间：包内没有来自您所信任机构的回执"},
"skipped_time_openssl": {"en": "left to openssl: receipts in data/stamps: {receipts}; the first page of the package shows the command", "zh": "交由 openssl 核验：data/stamps 中有 {receipts} 份回执，命令见包内首页"},
"skipped_views": {"en": "made by {made_with}, which this program is not: {names}", "zh": "由 {made_with} 生成，与本程序版本不同：{names}"},
"skipped_views_here": {"en": "not made again here: {names}", "zh": "此处未重新生成：{names}"},
"sound": {"en": "Nothing in this package contradicts anything else in it.", "zh": "本包内容相互一致，未发现矛盾。"},
"sound_not_true": {"en": "That means: the files are the recorded ones and the log has not been altered since it was signed. It does not mean that what was recorded is true.", "zh": "这表示：文件与记录所指一致，日志自签名之后未被改动；并不表示所记录的内容真实。"},
"stream_import": {"en": "run {stream} (import): imported afterwards, {shown} events shown; what was not imported is not known", "zh": "运行 {stream}（导入）：系事后导入，展示 {shown} 个事件；未导入的内容不得而知"},
"stream_missing": {"en": "run {stream} ({of}): {missing} of the numbers 0 to {last} are missing from the log ({told} of them noted as gaps); {sealed} of its events have sealed statements", "zh": "运行 {stream}（{of}）：编号 0 至 {last} 中有 {missing} 个在日志中缺失（其中 {told} 个已记为缺口）；{sealed} 个事件含封存的陈述"},
"stream_partly": {"en": "run {stream} ({of}): not all of it is in this package; {missing} of the numbers 0 to {last} are not here; {sealed} of its events have sealed statements", "zh": "运行 {stream}（{of}）：未全部包含在本包中；编号 0 至 {last} 中有 {missing} 个不在包内；{sealed} 个事件含封存的陈述"},
"stream_whole": {"en": "run {stream} ({of}): complete, numbers 0 to {last}; {sealed} of its events have sealed statements", "zh": "运行 {stream}（{of}）：完整，编号 0 至 {last}；其中 {sealed} 个事件含封存的陈述"},
"title_carried": {"en": "Copies of the verifiers are genuine", "zh": "附带的核验程序为正版"},
"title_checkpoint": {"en": "Head of the log signed", "zh": "日志头已签名"},
"title_container": {"en": "Package readable, every name means one file", "zh": "包可读取，文件名无歧义"},
"title_entries": {"en": "Entries stand in the log", "zh": "记录确在日志之中"},
"title_files": {"en": "Pictures and documents are the recorded ones", "zh": "图片与文件即为所记录者"},
"title_findings": {"en": "Findings and reports", "zh": "评估与报告"},
"title_hashes": {"en": "Files unchanged", "zh": "文件未被改动"},
"title_lineage": {"en": "The list of these pictures' events follows the published rule", "zh": "这些图片的事件清单符合公开规则"},
"title_listed": {"en": "List of files complete", "zh": "文件清单完整"},
"title_opened": {"en": "Statements opened later", "zh": "事后公开的陈述"},
"title_parts": {"en": "Statements belong to their entries", "zh": "陈述属于相应记录"},
"title_proofs": {"en": "Proofs for other tools", "zh": "供其他工具使用的证明"},
"title_signature": {"en": "List of files signed with the log's key", "zh": "文件清单由日志密钥签名"},
"title_sm3": {"en": "SM3 values in the table of files", "zh": "文件清单中的 SM3 值"},
"title_stamps": {"en": "Time stamps are about this log", "zh": "时间戳确系针对本日志"},
"title_streams": {"en": "Runs of tools, number by number", "zh": "各次运行的编号连续性"},
"title_time": {"en": "Dated by authorities you trust", "zh": "由您所信任的机构标定时间"},
"title_views": {"en": "Tables and listings say what the log says", "zh": "表格与清单和日志一致"},
"uncounted": {"en": "{name}: {reason}", "zh": "{name}：{reason}"},
"unsound": {"en": "This package does NOT check. Do not rely on it until the following is explained:", "zh": "本包未能通过核验。在以下问题得到说明之前，请勿采信："},
"warn_between": {"en": "{count} entries of the log between the first and the last of these pictures' events are not in this package; they could speak of the pictures too.", "zh": "在这些图片的首个与末个事件之间，日志中另有 {count} 条记录不在包内，它们也可能涉及这些图片。"},
"warn_history": {"en": "The own history of {tool} held jobs that are not in the log, though something was listening.", "zh": "{tool} 自身的历史中有日志未记录的任务，而当时有程序在监听。"},
"warn_missing": {"en": "Numbers are missing from the record of run {stream} and nothing in it says why.", "zh": "运行 {stream} 的记录中有编号缺失，且没有说明原因。"},
"warn_partly": {"en": "The record of run {stream} is not shown as a whole.", "zh": "运行 {stream} 的记录未完整展示。"},
"warn_points_elsewhere": {"en": "Events shown here name pictures or events that are not in this package: {count}.", "zh": "所示事件提及的图片或事件中，有 {count} 个不在包内。"},
"warn_preview": {"en": "A picture this package is about (file {number}) is shown as a preview only, which is no evidence.", "zh": "本包所涉图片（文件 {number}）仅以缩略图展示，缩略图不是证据。"},
"warn_sealed": {"en": "Statements are sealed ({sealed}): what they say could change the picture.", "zh": "有 {sealed} 项陈述被封存：其内容可能影响判断。"},
"warn_stranger": {"en": "The copies of the verifiers or the tables in this package, by {made_with}, were compared with nothing: do not run the programs in it, do not believe its first page.", "zh": "本包由 {made_with} 生成，其中附带的核验程序或表格未经比对：请勿运行包内的程序，请勿采信其首页。"},
"warn_undated": {"en": "{count} of {all} events are not dated by two authorities you trust.", "zh": "{all} 个事件中有 {count} 个未由您所信任的两家机构标定时间。"}
}""")


class Refused(Exception):
    """Something does not hold. `names` are files, where the words of the step count them."""

    def __init__(self, reason, names=()):
        super().__init__(reason)
        self.names = list(names)


def refuse_unless(condition, reason):
    if not condition:
        raise Refused(reason)


# Containers


class Zip:
    """A zip read from its directory. Refused is what two programs could read differently."""

    def __init__(self, path):
        self.stream = open(path, "rb")  # noqa: SIM115 - closed with the run
        try:
            self.members = self.find_members()
            self.names = check_names(self.members)
        except Exception:  # whatever it was goes on to the caller
            self.stream.close()
            raise

    def find_members(self):
        members = read_directory(self.stream)
        names = [name for name in members if not name.endswith("/")]
        top = names[0].partition("/")[0] + "/" if names else ""
        base = top if "bagit.txt" not in names and all(name.startswith(top) for name in names) else ""
        return {name[len(base) :]: members[name] for name in names}

    def close(self):
        self.stream.close()

    def size(self, name):
        return self.members[name][0]

    def chunks(self, name):
        size, packed, deflated, start = self.members[name]
        state = zlib.decompressobj(-15) if deflated else None
        left = size
        for chunk in self.packed_chunks(start, packed):
            for data in inflate(state, chunk) if state else [chunk]:
                left -= len(data)
                refuse_unless(left >= 0, f"{name} unpacks to more than the zip states")
                yield data
        refuse_unless(left == 0 and (state is None or (state.eof and not state.unused_data)),
                      f"{name} does not unpack to the size the zip states")  # fmt: skip

    def packed_chunks(self, start, packed):
        while packed:
            self.stream.seek(start)
            chunk = self.stream.read(min(packed, CHUNK))
            refuse_unless(chunk, "the zip ended while it was read")
            start, packed = start + len(chunk), packed - len(chunk)
            yield chunk


def inflate(state, chunk):
    try:
        while chunk:
            data = state.decompress(chunk, CHUNK)
            chunk = state.unconsumed_tail
            if not data and not chunk:
                break
            yield data
            if state.eof:
                break
        while not state.eof:
            data = state.decompress(b"", CHUNK)
            if not data:
                break
            yield data
    except zlib.error as err:
        raise Refused("a deflated file does not unpack") from err


class Folder:
    """An unpacked package. Links and devices are refused."""

    def __init__(self, path):
        if not os.path.exists(os.path.join(path, "bagit.txt")):
            inside = [os.path.join(path, name) for name in os.listdir(path)]
            inside = [name for name in inside if os.path.exists(os.path.join(name, "bagit.txt"))]
            path = inside[0] if len(inside) == 1 else path
        self.root = path
        self.sizes = {}
        folders = [path]
        while folders:
            for entry in os.scandir(folders.pop()):
                mode = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(mode.st_mode):
                    folders.append(entry.path)
                    continue
                name = os.path.relpath(entry.path, path).replace(os.sep, "/")
                refuse_unless(stat.S_ISREG(mode.st_mode), f"{name!a} is a link or a device")
                self.sizes[name] = mode.st_size
        self.names = check_names(self.sizes)

    def close(self):
        """Nothing stays open."""

    def size(self, name):
        return self.sizes[name]

    def chunks(self, name):
        left = self.sizes[name]
        with open(os.path.join(self.root, name), "rb") as stream:
            for chunk in iter(lambda: stream.read(CHUNK), b""):
                left -= len(chunk)
                yield chunk
        refuse_unless(left == 0, f"{name} changed while it was read")


SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")


def check_name(name):
    segments = name.split("/")
    sound = all(SEGMENT.fullmatch(s) and not s.endswith(".") and not DEVICE.fullmatch(s) for s in segments)
    refuse_unless(sound and len(name) <= 99, f"the name {name[:120]!a} is not a plain ASCII path")


def check_names(names):
    seen = {}
    for name in names:
        check_name(name)
        refuse_unless(seen.setdefault(name.lower(), name) == name, f"{name} is there twice but for its case")
    return set(names)


def read_at(stream, position, size, limit):
    refuse_unless(position >= 0 and position + size <= limit, "the zip is cut off or overlaps itself")
    stream.seek(position)
    data = stream.read(size)
    refuse_unless(len(data) == size, "the zip is cut off")
    return data


def read_directory(stream):
    """Return name -> (size, packed size, deflated, start); the members must fill the zip without a gap."""
    length = stream.seek(0, 2)
    at = length - 22
    end = struct.unpack("<4sHHHHIIH", read_at(stream, at, 22, length))
    refuse_unless(end[0] == b"PK\5\6" and end[7] == 0, "this is not a zip, or something was appended to it")
    refuse_unless(end[1] == end[2] == 0 and end[3] == end[4], "the zip is split over disks")
    count, size, start = end[4], end[5], end[6]
    if 0xFFFFFFFF in (size, start) or count == 0xFFFF:
        locator = struct.unpack("<4sIQI", read_at(stream, at - 20, 20, length))
        refuse_unless(locator == (b"PK\6\7", 0, at - 76, 1), "the zip is split over disks")
        at -= 76
        wide = struct.unpack("<4sQHHIIQQQQ", read_at(stream, at, 56, length))
        refuse_unless(wide[:2] == (b"PK\6\6", 44) and wide[4] == wide[5] == 0 and wide[6] == wide[7],
                      "the zip is split over disks")  # fmt: skip
        count, size, start = wide[7], wide[8], wide[9]
    refuse_unless(
        start + size == at and size <= 256 << 20 and count <= 10**6, "the zip's directory is not whole"
    )
    records = sorted(parse_directory(read_at(stream, start, size, length), count), key=lambda r: r["offset"])
    members, position = {}, 0
    for record in records:
        refuse_unless(record["offset"] == position, "files in the zip overlap, or bytes lie between them")
        begin, position = locate(stream, record, start)
        name = record["name"].decode("latin-1")
        check_name(name[:-1] if name.endswith("/") else name)
        refuse_unless(name not in members, f"{name} is in the zip twice")
        refuse_unless(not name.endswith("/") or not record["size"], "a folder in the zip has content")
        members[name] = (record["size"], record["packed"], record["method"] == 8, begin)
    refuse_unless(position == start, "bytes lie between the files of the zip and its directory")
    return members


def parse_directory(data, count):
    records, position = [], 0
    while position < len(data):
        refuse_unless(len(data) - position >= 46, "the zip's directory is cut off")
        field = struct.unpack_from("<4sHHHHHHIIIHHHHHII", data, position)
        name_end = position + 46 + field[10]
        end = name_end + field[11] + field[12]
        refuse_unless(field[0] == b"PK\1\2" and end <= len(data), "the zip's directory is not whole")
        refuse_unless(field[13] == 0, "the zip is split over disks")
        name, extra = data[position + 46 : name_end], data[name_end : name_end + field[11]]
        size, packed, offset = widen(extra, (field[9], field[8], field[16]))
        refuse_unless(not field[3] & 0x2041, f"{name!a} is encrypted")
        refuse_unless(not field[3] & ~0x80E and field[4] in (0, 8), f"{name!a} is packed in an unknown way")
        refuse_unless(field[4] == 8 or size == packed, f"the zip says two sizes of {name!a}")
        refuse_unless(size <= packed * 1100, f"{name!a} cannot unpack to its size")
        records.append({"name": name, "flags": field[3], "method": field[4], "crc": field[7],
                        "size": size, "packed": packed, "offset": offset})  # fmt: skip
        position = end
    refuse_unless(len(records) == count, "the zip's directory is not whole")
    return records


def widen(extra, values):
    if 0xFFFFFFFF not in values:
        return values
    wide, position = b"", 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, position)
        if kind == 1:
            wide = extra[position + 4 : position + 4 + size]
            break
        position += 4 + size
    found, position = [], 0
    for value in values:
        if value == 0xFFFFFFFF:
            refuse_unless(position + 8 <= len(wide), "the zip lacks a size")
            value = struct.unpack_from("<Q", wide, position)[0]
            position += 8
        found.append(value)
    return tuple(found)


def locate(stream, record, limit):
    """Compare the local header with the directory; return where the bytes begin and the next member does."""
    name = ascii(record["name"])
    field = struct.unpack("<4sHHHHHIIIHH", read_at(stream, record["offset"], 30, limit))
    tail = read_at(stream, record["offset"] + 30, field[9] + field[10], limit)
    refuse_unless(
        field[0] == b"PK\3\4" and tail[: field[9]] == record["name"], "the zip says two things of " + name
    )
    refuse_unless(field[2:4] == (record["flags"], record["method"]), "the zip says two things of " + name)
    size, packed, _ = widen(tail[field[9] :], (field[8], field[7], 0))
    same = (field[6], size, packed) == (record["crc"], record["size"], record["packed"])
    described = bool(record["flags"] & 8)
    refuse_unless(
        same or (described and (field[6], size, packed) == (0, 0, 0)), "the zip says two things of " + name
    )
    begin = record["offset"] + 30 + field[9] + field[10]
    end = begin + record["packed"]
    refuse_unless(end <= limit, f"{name} does not fit into the zip")
    return begin, end + (descriptor_size(stream, record, end, limit) if described else 0)


def descriptor_size(stream, record, position, limit):
    for form in ("<4sIII", "<4sIQQ", "<III", "<IQQ"):
        size = struct.calcsize(form)
        if position + size > limit:
            continue
        field = struct.unpack(form, read_at(stream, position, size, limit))
        if len(field) == 4 and field[0] != b"PK\7\10":
            continue
        if field[-3:] == (record["crc"], record["packed"], record["size"]):
            return size
    raise Refused("the zip says two things of {}".format(ascii(record["name"])))


def read_file(container, name, limit=MAX_SMALL):
    refuse_unless(name in container.names, f"{name} is missing")
    refuse_unless(container.size(name) <= limit, f"{name} is too large")
    return b"".join(container.chunks(name))


# Spellings


def canonical(value):
    """Spell JSON as RFC 8785 does. Our documents have no fractions and no integers beyond 2^53 - 1."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        refuse_unless(abs(value) < 2**53, "a number is too large")
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    refuse_unless(isinstance(value, dict), "a number has a fraction")
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return (
        "{"
        + ",".join(json.dumps(key, ensure_ascii=False) + ":" + canonical(value[key]) for key in keys)
        + "}"
    )


def parse_canonical(data, what):
    try:
        value = json.loads(data.decode("utf-8"))
        same = canonical(value).encode("utf-8") == data
    except (ValueError, RecursionError) as err:
        raise Refused(f"{what} is not JSON") from err
    refuse_unless(same and isinstance(value, dict), f"{what} is not JSON in its one spelling")
    return value


def decode_base64(text, size=None):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as err:
        raise Refused(f"{text[:80]!r} is not base64") from err
    refuse_unless(data and base64.b64encode(data).decode() == text, "base64 is not in its one spelling")
    refuse_unless(size is None or len(data) == size, f"a hash has not {size} bytes")
    return data


def parse_digest(value):
    refuse_unless(
        isinstance(value, str) and re.fullmatch("sha256:[0-9a-f]{64}", value), f"{value!r} is no digest"
    )
    return bytes.fromhex(value[7:])


def spell_digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def parse_number(text):
    refuse_unless(
        re.fullmatch("0|[1-9][0-9]{0,18}", text) and int(text) < 2**63, f"{text[:40]!r} is no number"
    )
    return int(text)


def split_lines(data, name):
    refuse_unless(data.count(b"\n") <= 500_000, f"{name} has too many lines")
    lines = data.split(b"\n")
    refuse_unless(lines.pop() == b"" and all(lines), f"{name} has an empty or unfinished line")
    return lines


def parse_manifest(data, name):
    refuse_unless(data.count(b"\n") <= 10**6, f"{name} has too many lines")
    lines = [
        re.fullmatch("([0-9a-f]{64})  ([!-~]+)", line.decode("latin-1")) for line in data.split(b"\n")[:-1]
    ]
    refuse_unless(all(lines), f"{name} is not a list of digests and names")
    digests = {line[2]: line[1] for line in lines}
    same = "".join(f"{digests[key]}  {key}\n" for key in sorted(digests)).encode() == data
    refuse_unless(same and len(digests) == len(lines), f"{name} is not in its one spelling")
    for path in digests:
        check_name(path)
    return digests


# Ed25519 (RFC 8032), for verifying only: it need not be quick, nor keep a secret.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
SMALL = {0, 1, P - 1, 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
         0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7}  # fmt: skip


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, c, d = f - e, d - c, d + c, f + e
    return e * f % P, c * d % P, f * c % P, e * d % P


def multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    refuse_unless((x * x - square) % P == 0 and not (x == 0 and sign), "a point is not on the curve")
    return P - x if x & 1 != sign else x


def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    refuse_unless(y < P, "a point is not in its one spelling")
    x = recover_x(y, sign)
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def verify_signature(key, signature, message):
    refuse_unless(len(signature) == 64, "a signature has not 64 bytes")
    scalar = int.from_bytes(signature[32:], "little")
    refuse_unless(scalar < ORDER, "a signature is not in its one spelling")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    x, y, z, t = point_of(key)
    x, y, z, _ = add(multiply(scalar, BASE), multiply(challenge, (P - x, y, z, P - t)))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    refuse_unless((y | (x & 1) << 255).to_bytes(32, "little") == signature[:32], "a signature does not check")


# Keys, notes, signatures


def read_key(data):
    """Return the log's key and origin out of `key.vkey`: the origin is a digest of the key."""
    found = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n", data.decode("latin-1"))
    refuse_unless(found, "key.vkey is not a key")
    raw = decode_base64(found[3], 33)
    key = raw[1:]
    y = int.from_bytes(key, "little") & (2**255 - 1)
    refuse_unless(
        raw[0] == 1 and y < P and y not in SMALL, "key.vkey is not a key that signing software makes"
    )
    origin = "makingof/" + hashlib.sha256(key).hexdigest()[:32]
    refuse_unless(
        found[1] == origin and found[2] == key_id(origin, key).hex(), "key.vkey is not the log's own"
    )
    return key, origin


def key_id(origin, key):
    return hashlib.sha256(origin.encode() + b"\n\1" + key).digest()[:4]


def key_files(key, origin):
    blob = base64.b64encode(ssh_string(b"ssh-ed25519") + ssh_string(key)).decode()
    pem = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + key).decode()
    return {
        "data/log/key.pem": f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n",
        "data/log/allowed_signers": f'{origin} namespaces="makingof-package" ssh-ed25519 {blob}\n',
    }


def verify_checkpoint(data, key, origin):
    """Return size and root of a signed head of this log."""
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as err:
        raise Refused("a checkpoint is not UTF-8") from err
    refuse_unless(not re.search(r"[\x00-\x09\x0b-\x1f]", whole), "a checkpoint holds a control character")
    text, gap, lines = whole.rpartition("\n\n")
    text += "\n"
    refuse_unless(gap and lines.endswith("\n"), "a checkpoint has no signature")
    signed, lines = False, lines[:-1].split("\n")
    refuse_unless(len(lines) <= 100, "a checkpoint has too many signatures")
    for line in lines:
        found = re.fullmatch("\u2014 ([^+\\s]+) (\\S+)", line)
        refuse_unless(found, "a signature line is not one")
        value = decode_base64(found[2])
        refuse_unless(len(value) > 4, "a signature line holds no signature")
        if found[1] == origin and value[:4] == key_id(origin, key):
            verify_signature(key, value[4:], text.encode())
            signed = True
    refuse_unless(signed, "a checkpoint is not signed by the log")
    lines = text.split("\n")
    refuse_unless(len(lines) == 4 and lines[0] == origin, "a checkpoint is not one of this log")
    return parse_number(lines[1]), decode_base64(lines[2], 32)


def ssh_string(data):
    return struct.pack(">I", len(data)) + data


def verify_ssh(armoured, message, key):
    digest = hashlib.sha512(message).digest()
    head = b"SSHSIG" + struct.pack(">I", 1) + ssh_string(ssh_string(b"ssh-ed25519") + ssh_string(key))
    head += ssh_string(NAMESPACE) + ssh_string(b"") + ssh_string(b"sha512")
    lines = armoured.decode("latin-1").split("\n")
    try:
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
    except ValueError as err:
        raise Refused("the signature is not armoured as OpenSSH does") from err
    text = base64.b64encode(blob).decode()
    wrapped = ["-----BEGIN SSH SIGNATURE-----", *(text[i : i + 70] for i in range(0, len(text), 70))]
    same = "\n".join([*wrapped, "-----END SSH SIGNATURE-----", ""]) == armoured.decode("latin-1")
    refuse_unless(
        same and blob[: len(head)] == head, "the signature is by another key or for another purpose"
    )
    start = ssh_string(b"ssh-ed25519") + struct.pack(">I", 64)
    refuse_unless(blob[len(head) :][:4] == struct.pack(">I", len(start) + 64), "the signature is cut short")
    signature = blob[len(head) + 4 :]
    refuse_unless(
        signature.startswith(start) and len(signature) == len(start) + 64, "the signature is not one"
    )
    signed = b"SSHSIG" + ssh_string(NAMESPACE) + ssh_string(b"") + ssh_string(b"sha512") + ssh_string(digest)
    verify_signature(key, signature[len(start) :], signed)


# The log (RFC 6962)


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def verify_range(leaves, start, size, root, proof):
    """Verify leaves side by side; return the right edge of the tree before them, which their proof holds."""
    refuse_unless(0 <= start < start + len(leaves) <= size, "a range lies outside the log")
    row, unused, lefts = list(leaves), list(proof), []
    low, high, width = start, start + len(leaves), size
    while width > 1:
        if low & 1:
            refuse_unless(unused, "a proof has too few hashes")
            lefts.append(unused.pop(0))
            row.insert(0, lefts[-1])
        if high & 1 and high < width:
            refuse_unless(unused, "a proof has too few hashes")
            row.append(unused.pop(0))
        paired = [node_hash(a, b) for a, b in zip(row[::2], row[1::2])]
        row = paired + row[-1:] if len(row) & 1 else paired
        low, high, width = low >> 1, (high + 1) >> 1, (width + 1) >> 1
    refuse_unless(not unused, "a proof has too many hashes")
    refuse_unless(row[0] == root, "a proof leads to another head")
    return lefts[::-1]


def append_leaf(edge, size, leaf):
    edge, node = list(edge), leaf
    while size & 1:
        node, size = node_hash(edge.pop(), node), size >> 1
    return [*edge, node]


def root_of(edge):
    if not edge:
        return hashlib.sha256(b"").digest()
    root = edge[-1]
    for left in reversed(edge[:-1]):
        root = node_hash(left, root)
    return root


def verify_consistency(old, old_root, new, new_root, proof):
    refuse_unless(0 < old <= new, "there is no such growth")
    if old == new:
        refuse_unless(not proof and old_root == new_root, f"there are two histories of {old} entries")
        return
    unused, level = list(proof), (old & -old).bit_length() - 1
    index, width, above = (old >> level) - 1, new, 0
    first = old_root if old == 1 << level else (unused.pop(0) if unused else b"")
    a = b = first
    while width > 1:
        if above >= level:
            if index & 1:
                refuse_unless(unused, "a proof has too few hashes")
                left = unused.pop(0)
                a, b = node_hash(left, a), node_hash(left, b)
            elif index + 1 < width:
                refuse_unless(unused, "a proof has too few hashes")
                b = node_hash(b, unused.pop(0))
            index >>= 1
        width, above = (width + 1) >> 1, above + 1
    refuse_unless(not unused and (a, b) == (old_root, new_root), "a stamped head belongs to another history")


def parse_ranges(data):
    title, _, rest = data.decode("latin-1").partition("\n")
    fits = title == "makingof-ranges/1" and rest.count("\n") <= 2 * 10**6
    refuse_unless(fits, "ranges do not begin with their title, or are too many")
    ranges, before = [], -1
    for block in rest[:-1].split("\n\n"):
        lines = block.split("\n")
        bounds = re.fullmatch("(0|[1-9][0-9]{0,15}) ([1-9][0-9]{0,15})", lines[0])
        refuse_unless(bounds, "a range is not two positions")
        start, end = int(bounds[1]), int(bounds[2])
        refuse_unless(before < start < end, "a range is empty, or meets the one before")
        ranges.append((start, end, [decode_base64(line, 32) for line in lines[1:]]))
        before = end
    blocks = (f"{r[0]} {r[1]}\n" + "".join(base64.b64encode(h).decode() + "\n" for h in r[2]) for r in ranges)
    refuse_unless((title + "\n" + "\n".join(blocks)).encode() == data, "ranges are not in their one spelling")
    return ranges


def parse_header(entry, position):
    header = parse_canonical(entry, f"entry {position}")
    refuse_unless(
        len(entry) <= 65535 and header.get("v") == 1, f"entry {position} is not an event of version 1"
    )
    head, cites, parts = header.get("head"), header.get("cites"), header.get("parts")
    shaped = isinstance(head, dict) and isinstance(cites, list) and isinstance(parts, list)
    refuse_unless(
        shaped and len(cites) <= 64 and len(parts) <= 16, f"entry {position} has not the shape of one"
    )
    for part in parts:
        refuse_unless(
            isinstance(part, dict) and isinstance(part.get("type"), str), "a part is not cited by type"
        )
        parse_digest(part.get("digest"))
    digests = [part["digest"] for part in parts]
    refuse_unless(
        len(set(digests)) == len(digests) and len(set(map(str, cites))) == len(cites),
        "something is cited twice",
    )
    for cited in cites:
        parse_digest(cited)
    stream, seq = header.get("stream"), header.get("seq")
    named = isinstance(stream, str) and re.fullmatch("[0-9a-f]{32}", stream) and type(seq) is int and seq >= 0
    refuse_unless(named or stream is seq is None, f"entry {position} has a stream without a number")
    return header


# The steps


# A shape is a type, a list of one shape, a dict of fields ("?" marks those that may be missing or null),
# a tuple of words, or a function.
RECEIPT_SHAPE = {"kind": str, "authority": str, "name": str, "beside?": [str]}
COPY_SHAPE = {"pieces": parse_digest, "shown": [{"number": int, "salt": str}], "header?": str}
FILE_SHAPE = {
    "number": int, "parts": [parse_digest], "shows": ("original", "copy", "preview", "nothing"), "name?": str,
    "size?": int, "sha256?": parse_digest, "sm3?": str, "why?": ("withheld", "brief", "unavailable", "erased"),
    "copy?": COPY_SHAPE,
}  # fmt: skip
DESCRIPTION_SHAPE = {
    "format": str, "made_with": str, "log": {"origin": str, "size": int, "root": parse_digest},
    "pictures": [parse_digest], "lineage_rule": int, "lineage": [int],
    "options": {"withhold?": [str], "full?": bool}, "files?": [FILE_SHAPE],
    "stamps?": [{"subject": str, "receipts": [RECEIPT_SHAPE], "size?": int}],
    "carried?": lambda value: [parse_digest(item) for item in value.values()],
}  # fmt: skip


def fit(value, shape, what):
    """Refuse a value that does not have its shape."""
    if isinstance(shape, dict):
        refuse_unless(isinstance(value, dict), f"{what} is not an object")
        for field, inner in shape.items():
            name = field.rstrip("?")
            if name != field and value.get(name) is None:
                refuse_unless(name not in value or name in NULLABLE, f"{what}.{name} is null")
                continue
            refuse_unless(name in value, f"{what} lacks {name}")
            fit(value[name], inner, f"{what}.{name}")
    elif isinstance(shape, list):
        refuse_unless(isinstance(value, list), f"{what} is not a list")
        for item in value:
            fit(item, shape[0], what)
    elif isinstance(shape, tuple):
        refuse_unless(value in shape, f"{what} is none of its words")
    elif isinstance(shape, type):
        refuse_unless(type(value) is shape, f"{what} is not a {shape.__name__}")
    else:
        shape(value)


NULLABLE = ("name", "size", "sha256", "sm3", "why", "copy", "header")


class Run:
    """One check; each method is a step and leaves what later ones need."""

    def __init__(self, path):
        self.path = path
        self.container = None
        self.steps = []  # (name, outcome, key of the words, values, details, reason)
        self.warnings = []

    def check(self):
        try:
            self.check_all()
        finally:
            if self.container is not None:
                self.container.close()

    def check_all(self):
        if not (self.step("container", self.open) and self.step("listed", self.list_files)):
            return
        self.step("hashes", self.hash_files)
        if not self.step("checkpoint", self.verify_head):
            return
        self.step("signature", self.verify_signature)
        if not (self.step("entries", self.verify_entries) and self.step("parts", self.match_parts)):
            return
        self.step("proofs", self.verify_proofs)
        self.step("files", self.verify_files)
        self.skip("sm3", "skipped_sm3")
        self.step("streams", self.count_streams)
        if self.step("stamps", self.verify_stamps):
            self.skip("time", "skipped_time_openssl", receipts=self.receipts)
        self.step("carried", self.compare_carried)
        words = [
            n for n in {**self.payload, **self.tags} if n == "data/findings.json" or n.startswith("views/")
        ]
        if words:
            self.skip("findings", "skipped_findings", names=", ".join(sorted(words)))
        self.skip("lineage", "skipped_lineage_here", count=len(self.lineage))
        self.skip(
            "views",
            "skipped_views_here",
            names="00-READ-ME-FIRST.html, bag-info.txt, data/ro-crate-metadata.json",
        )

    def step(self, name, work):
        try:
            key, values, details = work()
        except Exception as err:  # noqa: BLE001 - whatever a package makes go wrong is a refusal, never a pass
            names = getattr(err, "names", [])
            more = f" (+{len(names) - 5})" if len(names) > 5 else ""
            values = {"count": len(names), "names": ", ".join(names[:5]) + more}
            self.steps.append((name, "failed", "failed_" + name, values, [], str(err) or type(err).__name__))
            return False
        self.steps.append(
            (name, "skipped" if key.startswith("skipped") else "passed", key, values, details, None)
        )
        return True

    def skip(self, name, key, **values):
        self.steps.append((name, "skipped", key, values, [], None))

    def read(self, name, limit=MAX_SMALL):
        return read_file(self.container, name, limit)

    def open(self):
        try:
            self.container = Folder(self.path) if os.path.isdir(self.path) else Zip(self.path)
        except struct.error as err:
            raise Refused("the zip is cut off") from err
        return "passed_container", {"files": len(self.container.names)}, []

    def list_files(self):
        refuse_unless(self.read("bagit.txt") == DECLARATION, "bagit.txt is another one")
        self.manifest = self.read("manifest-sha256.txt")
        self.payload = parse_manifest(self.manifest, "manifest-sha256.txt")
        self.tags = parse_manifest(self.read("tagmanifest-sha256.txt"), "tagmanifest-sha256.txt")
        listed = {*self.payload, *self.tags, "tagmanifest-sha256.txt"}
        self.require_same(self.container.names, listed, "no list names it")
        refuse_unless(
            all(name.startswith("data/") for name in self.payload), "the payload lies outside data/"
        )
        self.require_same(set(TAGS) | set(PAYLOAD), {*self.payload, *self.tags} | set(TAGS), None)
        refuse_unless(set(TAGS) <= set(self.tags), "a file beside the payload is missing")
        self.description = parse_canonical(self.read("data/package.json"), "package.json")
        refuse_unless(
            self.description.get("format") == FORMAT, "package.json is of another format than " + FORMAT
        )
        self.read_description()
        self.require_same(
            {*self.payload} - {"data/findings.json"}, self.explained(), "package.json does not name it"
        )
        return "passed_listed", {"files": len(self.container.names)}, []

    @staticmethod
    def require_same(found, wanted, why):
        missing = sorted(set(wanted) - set(found)) if why else sorted(set(found) - set(wanted))
        refuse_unless(not missing, "{} is missing".format((missing or [""])[0]))
        extra = sorted(set(found) - set(wanted))
        refuse_unless(not extra, "{}: {}".format((extra or [""])[0], why))

    def read_description(self):
        """Check the shape of the description, and take from it what later steps rely on."""
        d = self.description
        fit(d, DESCRIPTION_SHAPE, "package.json")
        self.files, self.stamps, self.lineage = d.get("files", []), d.get("stamps", []), d["lineage"]
        self.size = d["log"]["size"]
        refuse_unless(self.lineage == sorted(set(self.lineage)), "the lineage is not a rising list")
        refuse_unless(all(0 <= p < self.size for p in self.lineage), "the lineage lies outside the log")
        numbers = [file["number"] for file in self.files]
        refuse_unless(numbers == list(range(1, len(numbers) + 1)), "files are misnumbered")
        refuse_unless(d["pictures"], "the package does not say which pictures it is about")
        for file in self.files:
            self.check_file(file)

    @staticmethod
    def check_file(file):
        shows, name, copy = file["shows"], file.get("name"), file.get("copy")
        named = [name, file.get("size"), file.get("sha256")]
        here = shows != "nothing"
        refuse_unless(None not in named if here else named == [None] * 3, "a file is neither here nor absent")
        refuse_unless((file.get("why") is None) == (shows == "original"), "a file does not say how it stands")
        refuse_unless((copy is None) == (shows != "copy"), "a file does not say how it stands")
        form = r"data/files/[0-9]{4,7}(-copy|-preview)?\.[a-z0-9]{1,8}"
        number = "{:04d}".format(file["number"])
        refuse_unless(not here or (re.fullmatch(form, name) and number in name), "a file is misnamed")
        salts = [piece["salt"] for piece in copy["shown"]] if copy else []
        refuse_unless(
            all(re.fullmatch("[0-9a-f]{32}", salt) for salt in salts), "a salt is not 16 bytes in hex"
        )

    def explained(self):
        names = {*PAYLOAD, *(file["name"] for file in self.files if file.get("name"))}
        names |= {f"data/log/proofs/{position:09d}.tlog-proof" for position in self.lineage}
        for stamp in self.stamps:
            names.add(stamp["subject"])
            if stamp.get("size") is not None:
                names.add(f"data/stamps/{stamp['size']:09d}/consistency")
            for receipt in stamp["receipts"]:
                names |= {receipt["name"], *receipt.get("beside", [])}
        return names

    def hash_files(self):
        wrong, total = [], 0
        for name, digest in {**self.payload, **self.tags}.items():
            state = hashlib.sha256()
            try:
                for chunk in self.container.chunks(name):
                    state.update(chunk)
            except Refused:
                state = hashlib.sha256(b"does not unpack")
            total += self.container.size(name)
            if state.hexdigest() != digest:
                wrong.append(name)
        if wrong:
            raise Refused("not what was listed", wrong)
        return "passed_hashes", {"bytes": total}, []

    def verify_head(self):
        self.key, self.origin = read_key(self.read("data/log/key.vkey"))
        for name, text in key_files(self.key, self.origin).items():
            refuse_unless(self.read(name) == text.encode(), name + " is not the key in key.vkey")
        self.note = self.read("data/log/checkpoint")
        size, self.root = verify_checkpoint(self.note, self.key, self.origin)
        named = {"origin": self.origin, "root": "sha256:" + self.root.hex(), "size": size}
        same = all(self.description["log"][name] == value for name, value in named.items())
        refuse_unless(same, "package.json names another log head than the checkpoint")
        return "passed_checkpoint", {"size": size}, []

    def verify_signature(self):
        verify_ssh(self.read("manifest-sha256.txt.sig"), self.manifest, self.key)
        return "passed_signature", {"origin": self.origin}, []

    def verify_entries(self):
        self.ranges = parse_ranges(self.read("data/log/ranges"))
        lines = split_lines(self.read("data/log/entries.jsonl", MAX_LINES), "entries.jsonl")
        refuse_unless(
            sum(end - start for start, end, _ in self.ranges) == len(lines), "entries and ranges differ"
        )
        self.entries, self.headers = {}, {}
        for start, end, proof in self.ranges:
            here = lines[len(self.entries) : len(self.entries) + end - start]
            leaves = [leaf_hash(line) for line in here]
            edge = verify_range(leaves, start, self.size, self.root, proof)
            for position, line, leaf in zip(range(start, end), here, leaves):
                header = parse_header(line, position)
                before = ("sha256:" + root_of(edge).hex(), position)
                stated = (header["head"].get("root"), header["head"].get("size"))
                refuse_unless(stated == before, f"entry {position} was written after another log")
                edge = append_leaf(edge, position, leaf)
                self.entries[position], self.headers[position] = line, header
        self.check_order()
        return "passed_entries", {"entries": len(lines), "ranges": len(self.ranges)}, []

    def check_order(self):
        position_of = {"sha256:" + leaf_hash(line).hex(): position for position, line in self.entries.items()}
        refuse_unless(len(position_of) == len(self.entries), "one entry stands in the log twice")
        numbers = set()
        for position, header in self.headers.items():
            later = [cited for cited in header["cites"] if position_of.get(cited, -1) >= position]
            refuse_unless(not later, f"entry {position} cites one that came later")
            number = (header["stream"], header["seq"])
            refuse_unless(
                number[0] is None or number not in numbers,
                f"number {number[1]} of run {number[0]} stands twice",
            )
            numbers.add(number)

    def match_parts(self):
        lines = split_lines(self.read("data/parts.jsonl", MAX_LINES), "parts.jsonl")
        given = {spell_digest(line): parse_part(line) for line in lines}
        self.parts, self.cited, order = {}, {}, {}
        for position, header in self.headers.items():
            listed = []
            for ref in header["parts"]:
                part = self.cite(given, position, ref["digest"], ref["type"])
                below = list_of(part)
                if below is None:
                    listed.append(ref["digest"])
                else:
                    order[ref["digest"]] = None
                    listed += below
                    for digest in below:
                        refuse_unless(
                            list_of(self.cite(given, position, digest, ref["type"])) is None,
                            "a list lists a list",
                        )
            self.cited[position] = listed
            order.update((digest, None) for digest in listed if digest in given)
        refuse_unless(
            list(order) == list(given) and len(given) == len(lines),
            "a part is cited by no entry, or misplaced",
        )
        self.require_own_key()
        refuse_unless(set(self.lineage) <= set(self.headers), "an entry of the lineage is missing")
        silent = {part for position in self.lineage for part in self.cited[position] if part not in given}
        erased = len(silent & self.find_erased())
        if len(silent) > erased:
            self.warnings.append(("warn_sealed", {"sealed": len(silent) - erased}))
        return "passed_parts", {"shown": len(lines), "sealed": len(silent) - erased, "erased": erased}, []

    def cite(self, given, position, digest, part_type):
        part = given.get(digest)
        if part is not None:
            refuse_unless(part["type"] == part_type, f"{digest} is cited as another type than it is")
            seen = part["means"] in ("live", "spooled", "watched")
            refuse_unless(
                not seen or part["means"] == self.headers[position].get("means"), "a part claims too much"
            )
        self.parts[digest] = (position, part_type, part)
        return part

    def require_own_key(self):
        first = self.headers.get(0)
        refuse_unless(
            first and first.get("kind") == "enrolled", "entry 0, which names the log's key, is missing"
        )
        vkey = self.read("data/log/key.vkey").decode("latin-1")[:-1]
        for facts in self.own_facts(0):
            refuse_unless(facts.get("log_key") == vkey, "entry 0 names another key than the log's")

    def own_facts(self, position):
        """Yield what the recorder says of itself in an entry, as far as it is shown."""
        for digest in self.cited[position]:
            part = self.parts[digest][2]
            if part is not None and part["type"] == "own" and isinstance(part["body"].get("facts"), dict):
                yield part["body"]["facts"]

    def find_erased(self):
        erased = set()
        for position, header in self.headers.items():
            for facts in self.own_facts(position) if header.get("kind") == "erased" else ():
                erased |= {part for part in facts.get("parts", []) if isinstance(part, str)}
        return erased

    def verify_proofs(self):
        for position in self.lineage:
            data = self.read(f"data/log/proofs/{position:09d}.tlog-proof")
            above, _, note = data.partition(b"\n\n")
            lines = above.decode("latin-1").split("\n")
            head = ["c2sp.org/tlog-proof@v1", f"index {position}"]
            refuse_unless(
                lines[:2] == head and note == self.note, f"a proof of {position} is about something else"
            )
            proof = [decode_base64(line, 32) for line in lines[2:]]
            verify_range([leaf_hash(self.entries[position])], position, self.size, self.root, proof)
        return "passed_proofs", {"count": len(self.lineage)}, []

    def file_body(self, part):
        refuse_unless(
            part in self.parts and self.parts[part][1] == "file", f"{part} is a file part no entry cites"
        )
        found = self.parts[part][2]
        return None if found is None else found["body"]

    def verify_files(self):
        details, counts, described = [], {}, []
        for file in self.files:
            counts[file["shows"]] = counts.get(file["shows"], 0) + 1
            described += file["parts"]
            known = [body for body in map(self.file_body, file["parts"]) if body is not None]
            same = all(body.get("digest") == known[0].get("digest") for body in known)
            refuse_unless(same, f"file {file['number']} is said to be two recorded files")
            if file.get("name"):
                listed = "sha256:" + self.payload[file["name"]]
                refuse_unless(file["sha256"] == listed, file["name"] + " is described with another digest")
                refuse_unless(
                    file["size"] == self.container.size(file["name"]), file["name"] + " has another size"
                )
            if file["shows"] == "original":
                recorded = [
                    (body.get("digest"), body.get("size")) == (file["sha256"], file["size"]) for body in known
                ]
                refuse_unless(known and all(recorded), f"file {file['number']} is not the recorded one")
            if file["shows"] == "copy":
                details.append(("copy_lacks", self.check_copy(file)))
        refuse_unless(len(set(described)) == len(described), "two files are said to be one recorded file")
        wanted = {part for p in self.lineage for part in self.cited[p] if self.parts[part][1] == "file"}
        refuse_unless(wanted <= set(described), "a recorded file is not accounted for")
        names = {"originals": "original", "copies": "copy", "previews": "preview", "absent": "nothing"}
        return "passed_files", {name: counts.get(shows, 0) for name, shows in names.items()}, details

    def check_copy(self, file):
        """Compare a copy with the pieces recorded of its original; their sizes say where one ends."""
        try:
            copy, body = file["copy"], self.parts[file["copy"]["pieces"]][2]["body"]
            recorded = next(f["pieces"] for f in body["files"] if f["file"] in file["parts"])
            shown = [(item["number"], bytes.fromhex(item["salt"])) for item in copy["shown"]]
            numbers = [number for number, _ in shown]
            refuse_unless(
                numbers == sorted(set(numbers)) and numbers[0] >= 0 and numbers[-1] < len(recorded),
                "misnumbered pieces",
            )
            expected = [
                (recorded[number]["size"], salt, recorded[number]["digest"]) for number, salt in shown
            ]
            header = copy.get("header")
            refuse_unless(
                header is None or (header == "riff" and recorded[0]["name"] == "RIFF" and 0 not in numbers),
                "unknown header",
            )
        except (KeyError, TypeError, ValueError, IndexError, StopIteration) as err:
            raise Refused(f"the pieces of file {file['number']} are not shown") from err
        data = self.read(file["name"], MAX_COPY)
        if header:
            refuse_unless(
                data[:12] == struct.pack("<4sI4s", b"RIFF", len(data) - 8, b"WEBP"),
                "a copy has a false header",
            )
        at = 12 if header else 0
        refuse_unless(
            at + sum(size for size, _, _ in expected) == len(data), "a copy is not as long as its pieces"
        )
        for size, salt, digest in expected:
            refuse_unless(
                spell_digest(salt + data[at : at + size]) == digest,
                f"file {file['number']} differs from its original",
            )
            at += size
        kept = {*numbers, 0} if header else set(numbers)
        lost = [piece for number, piece in enumerate(recorded) if number not in kept]
        return {"number": file["number"], "pieces": ", ".join(str(piece["name"]) for piece in lost),
                "bytes": sum(piece["size"] for piece in lost)}  # fmt: skip

    def count_streams(self):
        streams, gaps, told_last = {}, {}, {}
        for position, header in self.headers.items():
            if header["stream"] is not None:
                streams.setdefault(header["stream"], []).append(position)
            for facts in self.own_facts(position) if header.get("kind") in ("pulse", "gap", "closed") else ():
                note_counters(header, facts, gaps, told_last)
        drawn = {self.headers[position]["stream"] for position in self.lineage} - {None}
        details, acts = [], 0
        for stream in sorted(drawn):
            counted = self.count(stream, streams[stream], gaps.get(stream, []), told_last.get(stream, -1))
            if counted is None:
                acts += 1
                continue
            key, values, warning = counted
            details.append((key, values))
            self.warnings += [(warning, {"stream": stream[:8]})] if warning else []
        others = {
            s for s, at in streams.items() if len(at) > 1 or self.headers[at[0]].get("kind") == "opened"
        }
        others |= {s for position in self.headers for s in self.pulsed(position)}
        for values, warning in self.compare_histories():
            details.append(("second_looks", values))
            self.warnings += [("warn_history", {"tool": values["tool"]})] if warning else []
        return (
            "passed_streams",
            {"streams": len(drawn) - acts, "acts": acts, "others": len(others - drawn)},
            details,
        )

    def compare_histories(self):
        """Yield what is shown of each generator's own history beside the log, and whether to warn of it."""
        hosts = {}
        for position, header in sorted(self.headers.items()):
            for facts in self.own_facts(position) if header.get("kind") == "checked" else ():
                if (look := second_look(facts)) is not None:
                    hosts.setdefault(look[:2], []).append((position, *look[2:]))
        for (tool, _), looks in hosts.items():
            missing = {job: why for _, _, jobs in looks for job, why in jobs.items()}
            values = {"tool": tool, "looks": len(looks), "position": looks[-1][0], "jobs": looks[-1][1],
                      "missing": len(missing)}  # fmt: skip
            yield values, not set(missing.values()) <= {"no_hook", "before_hook"}

    def pulsed(self, position):
        if self.headers[position].get("kind") == "pulse":
            for facts in self.own_facts(position):
                yield from facts["streams"] if isinstance(facts.get("streams"), dict) else ()

    def count(self, stream, positions, told, last):
        """Count one run. None: a single act, which was never opened."""
        kinds = {p: self.headers[p].get("kind") for p in positions}
        opened = next((p for p in positions if kinds[p] == "opened"), None)
        closed = next((p for p in reversed(positions) if kinds[p] == "closed"), None)
        numbers = sorted(self.headers[p]["seq"] for p in positions)
        last = max(last, numbers[-1])
        if opened is None and last == 0:
            return None
        late = [p for p in positions if closed is not None and p > closed and kinds[p] != "gap"]
        refuse_unless(not late, f"run {stream} goes on after it was closed")
        of = next((facts.get("of") for facts in self.own_facts(opened)), None) if opened is not None else None
        missing = last + 1 - len(numbers)
        end = self.size if closed is None else closed + 1
        covered = opened is not None and any(s <= opened and end <= e for s, e, _ in self.ranges)
        sealed = sum(any(self.parts[part][2] is None for part in self.cited[p]) for p in positions)
        known = count_told(told, numbers, last)
        values = {"stream": stream[:8], "of": of if isinstance(of, str) else "?", "shown": len(numbers), "last": last,
                  "missing": missing, "told": known, "sealed": sealed}  # fmt: skip
        if of == "import":
            return "stream_import", values, None
        if not missing:
            return "stream_whole", values, None
        key = "stream_missing" if covered else "stream_partly"
        return key, values, None if missing == known else ("warn_missing" if covered else "warn_partly")

    def verify_stamps(self):
        self.receipts, heads = 0, 0
        for stamp in self.stamps:
            size, subject = stamp.get("size"), stamp["subject"]
            self.receipts += len(stamp["receipts"])
            known = all(receipt["kind"] in ("rfc3161", "ots", "deposit") for receipt in stamp["receipts"])
            refuse_unless(known, "a receipt is of an unknown kind")
            if size is None:
                refuse_unless(
                    subject.startswith(("data/files/", "data/stamps/")), "a stamp is about " + subject
                )
                continue
            heads += 1
            refuse_unless(subject == f"data/stamps/{size:09d}/checkpoint", "a stamp is about " + subject)
            found, root = verify_checkpoint(self.read(subject), self.key, self.origin)
            refuse_unless(found == size, "a stamped head has another size")
            lines = self.read(f"data/stamps/{size:09d}/consistency").decode("latin-1").split("\n")
            refuse_unless(lines.pop() == "", "a proof is unfinished")
            proof = [decode_base64(line, 32) for line in lines]
            (old, old_root), (new, new_root) = sorted(
                [(size, root), (self.size, self.root)], key=lambda head: head[0]
            )
            verify_consistency(old, old_root, new, new_root, proof)
        return "passed_stamps", {"stamps": heads, "receipts": self.receipts}, []

    def compare_carried(self):
        for name in ("verify.py", "check.html"):
            signed = self.description.get("carried", {}).get(name)
            refuse_unless(
                signed == "sha256:" + self.tags[name], name + " is not the one the exporter signed for"
            )
        return "skipped_carried_here", {}, []


def note_counters(header, facts, gaps, told_last):
    """Take in what a pulse, a close or a gap says of the numbers of runs."""
    if header["kind"] == "pulse" and isinstance(facts.get("streams"), dict):
        for stream, last in facts["streams"].items():
            told_last[stream] = max(told_last.get(stream, -1), last if type(last) is int else -1)
    if header["kind"] == "closed" and type(facts.get("last_seq")) is int:
        told_last[header["stream"]] = max(told_last.get(header["stream"], -1), facts["last_seq"])
    if (
        header["kind"] == "gap"
        and isinstance(facts.get("stream"), str)
        and isinstance(facts.get("missing"), list)
    ):
        spans = gaps.setdefault(facts["stream"], [])
        for item in facts["missing"]:
            first, last = item if isinstance(item, list) and len(item) == 2 else (item, item)
            if type(first) is int and type(last) is int:
                spans.append((max(first, 0), last + 1))


def second_look(facts):
    """Return tool, address, number of jobs and those the log has not; None where the facts tell of no look."""
    told = facts.get("second_look")
    if not isinstance(told, dict) or not isinstance(told.get("missing"), list):
        return None
    named = [item for item in told["missing"] if isinstance(item, dict)]
    missing = {item["job"]: item["why"] for item in named
               if isinstance(item.get("job"), str) and isinstance(item.get("why"), str)}  # fmt: skip
    words = isinstance(told.get("tool"), str) and isinstance(told.get("url"), str)
    counted = type(told.get("jobs")) is int and len(missing) == len(told["missing"]) <= told["jobs"]
    return (told["tool"], told["url"], told["jobs"], missing) if words and counted else None


def count_told(told, seen, last):
    """Count the numbers up to `last` that gaps tell of and that are not there."""
    count, start = 0, 0
    for first, end in sorted(told):
        first, end = max(first, start), min(end, last + 1)
        if first < end:
            count += end - first - (bisect_left(seen, end) - bisect_left(seen, first))
            start = end
    return count


def parse_part(line):
    part = parse_canonical(line, "a part")
    fields = {"type": str, "salt": str, "means": str, "from": str, "body": dict}
    shaped = all(isinstance(part.get(name), kind) for name, kind in fields.items()) and "vouched" in part
    refuse_unless(
        shaped and len(line) <= 1 << 20 and re.fullmatch("[0-9a-f]{32}", part["salt"]),
        "a part has not its shape",
    )
    return part


def list_of(part):
    """Return what a list part lists, or None for a part that speaks itself."""
    if part is None or set(part["body"]) != {"parts"}:
        return None
    digests = part["body"]["parts"]
    refuse_unless(isinstance(digests, list), "a list part lists nothing")
    [parse_digest(digest) for digest in digests]
    return digests


# Saying it

ORDER_SHOWN = ("container", "listed", "hashes", "checkpoint", "signature", "entries", "parts", "proofs", "files",
               "sm3", "lineage", "streams", "stamps", "time", "views", "carried", "findings")  # fmt: skip


def say(language, key, **values):
    return visible(TEXTS[key][language].format(**values))


def visible(text):
    """Spell what could move the cursor or hide: a package's words are a stranger's."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def report(run, language):
    """Print the worst first; return the exit code."""
    done = {step[0] for step in run.steps}
    steps = run.steps + [
        (n, "skipped", "skipped_after", {}, [], None) for n in ORDER_SHOWN[:-1] if n not in done
    ]
    steps.sort(key=lambda step: ORDER_SHOWN.index(step[0]))
    failed = [step for step in steps if step[1] == "failed"]
    print(say(language, "unsound" if failed else "sound"))
    for step in failed:
        print("  * " + say(language, step[2], **step[3]))
    if not failed:
        print(say(language, "sound_not_true"))
    for key, values in run.warnings:
        print("  ! " + say(language, key, **values))
    titles = [say(language, "title_" + step[0]) for step in steps if step[1] == "skipped"]
    print(say(language, "not_checked", titles=("；" if language == "zh" else "; ").join(titles)))
    for key in ("bounds_of_record", "attested", "one_of_several", "no_advice"):
        print(say(language, key))
    print()
    for name, outcome, key, values, details, reason in steps:
        print("[{}] {}".format(say(language, outcome), say(language, "title_" + name)))
        print("    " + say(language, key, **values))
        for detail, known in details:
            print("    - " + say(language, detail, **known))
        if reason:
            print("    " + say(language, "because", reason=reason))
    return 1 if failed else 0


def main(arguments):
    language = "zh" if os.environ.get("LANG", "").startswith("zh") else "en"
    if "--lang" in arguments:
        at = arguments.index("--lang")
        language = (arguments[at + 1 : at + 2] or [""])[0]
        del arguments[at : at + 2]
    if len(arguments) != 1 or language not in ("en", "zh") or arguments[0].startswith("-"):
        print(__doc__)
        return 2
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    run = Run(arguments[0])
    run.check()
    return report(run, language)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
