local core = require "aesth/lib/core"

-- Names that have broken programs before.
local EVIL = {
  "plain.jpg", "two words.jpg", " edges .jpg", "-rf.jpg", "$HOME.jpg", "`id`.jpg", "$(id).jpg", "semi;colon&.jpg",
  "'single'.jpg", '"double".jpg', "back\\slash.jpg", "\\t.jpg", "tab\t.jpg", "new\nline.jpg", "carriage\rreturn.jpg",
  "写真 ★.jpg", "caf\xe9.jpg", "%d%s.jpg", "*?[a].jpg", "!history.jpg", "~.jpg", "\\\\n.jpg", "\\",
}

local HEADER = "path\tscore\trating\told_rating\taction\terror\n"

local function random_text(most)
  local bytes = {}
  for i = 1, math.random(0, most) do
    local alphabet = "\\\\\t\n\r'\"$`ntr xé"
    local at = math.random(#alphabet)
    bytes[i] = alphabet:sub(at, at)
  end
  return table.concat(bytes)
end

local function printed_by(command)
  local pipe = assert(io.popen(command, "r"))
  local printed = pipe:read("a")
  pipe:close()
  return printed
end

describe("quoting", function()
  it("hands every name to a POSIX shell as one word", function()
    local words = {}
    for i, name in ipairs(EVIL) do words[i] = core.quote(name) end
    local expected = table.concat(EVIL, "\0") .. "\0"
    assert.equal(expected, printed_by("printf '%s\\0' " .. table.concat(words, " ")))
  end)

  it("survives any text", function()
    for _ = 1, 20 do
      local text = random_text(30)
      assert.equal(text .. ".", printed_by("printf '%s.' " .. core.quote(text)))
    end
  end)

  it("quotes what Windows allows in names, and refuses what could end the word", function()
    assert.equal('"C:\\two words\\100% & co.jpg"', core.quote_windows("C:\\two words\\100% & co.jpg"))
    assert.equal('"C:\\folder\\\\"', core.quote_windows("C:\\folder\\"))
    assert.has_error(function() core.quote_windows('a" & del "b') end)
    assert.has_error(function() core.quote_windows("a\nb") end)
  end)
end)

describe("a command", function()
  it("prints its process id, then what the program prints, and gives it the list", function()
    local list = os.tmpname()
    local file = assert(io.open(list, "w"))
    file:write("what is listed")
    file:close()
    local pid, rest = printed_by(core.command({ "sh", "-c", "echo $$; cat; echo oops >&2" }, list, "/dev/null"))
      :match("^(%d+)\n(.*)$")
    os.remove(list)
    assert.equal(pid .. "\nwhat is listed", rest)
  end)

  it("tells of a program that is not there", function()
    local pipe = io.popen(core.command({ "/nowhere/to be/found" }, "/dev/null", "/dev/null"))
    pipe:read("a")
    local _, _, code = pipe:close()
    assert.equal("missing", core.verdict(code, false))
  end)

  it("for Windows leaves the results in a file", function()
    local command = core.windows_command({ "C:\\aesth.exe", "score" }, "in", "err", "out")
    assert.equal('"C:\\aesth.exe" "score" <"in" >"out" 2>"err"', command)
  end)
end)

describe("lines", function()
  it("come back as they were, whatever is in them", function()
    for _ = 1, 300 do
      local fields = { random_text(12), random_text(12), random_text(12) }
      assert.same(fields, core.split(core.join(fields)))
    end
  end)

  it("hold every name on one line", function()
    for _, name in ipairs(EVIL) do
      local line = core.join({ name, "1" })
      assert.equal(1, select(2, line:gsub("\n", "\n")))
      assert.same({ name, "1" }, core.split(line))
    end
  end)

  it("have empty fields for nil", function()
    assert.equal("a\t\tb\t\n", core.join({ "a", nil, "b" }, 4))
    assert.same({ "a", "", "b", "" }, core.split("a\t\tb\t\n"))
  end)
end)

describe("results", function()
  local names = core.header(HEADER)

  it("begin with the columns of the contract, and may have more behind them", function()
    assert.same(core.FIELDS, names)
    assert.equal("group", core.header(HEADER:gsub("\n", "\tgroup\tbest\n"))[7])
  end)

  it("are of something else if they begin otherwise", function()
    local swapped = "score\tpath\trating\told_rating\taction\terror\n"
    for _, line in ipairs({ "", "\n", "path\tscore\n", swapped, "Usage: aesth\n" }) do
      assert.is_nil(core.header(line))
    end
  end)

  it("tell of a photo", function()
    local record = core.record("a\\tb.jpg\t83.10\t4\t\tscored\t\n", names)
    assert.same({ path = "a\tb.jpg", score = 83.1, rating = "4", action = "scored" }, record)
  end)

  it("tell why a photo has no score", function()
    local record = core.record("a.jpg\t\t\t\tfailed\tcannot be read\n", names)
    assert.is_nil(record.score)
    assert.equal("cannot be read", record.error)
  end)

  it("are malformed if a field is missing or no number, or the line is cut off", function()
    for _, line in ipairs({
      "a.jpg\t83.10\t4\t\tscored\n", "a.jpg\t83.10\t4\t\tscored\t\t\n", "a.jpg\t83.10\t4\t\tscored\t", "\n",
      "a.jpg\tgood\t4\t\tscored\t\n", "a.jpg\t-1\t4\t\tscored\t\n", "a.jpg\tnan\t4\t\tscored\t\n",
      "a.jpg\t101\t4\t\tscored\t\n", "a.jpg\t0x10\t4\t\tscored\t\n",
      "\t83.10\t4\t\tscored\t\n", "a.jpg\t83.10\t4\t\t\t\n",
    }) do
      assert.is_nil(core.record(line, names), line)
    end
  end)
end)

describe("the model", function()
  local JSON = [[
[
  { "name": "base-int8", "path": "/m/base-int8.onnx", "size": 2, "checksum": "ce1a1433c263", "default": false },
  { "name": "lite-int8", "path": "/m/lite-int8.onnx", "size": 1, "checksum": "107d22c221d3", "default": true }
] ]]

  it("is the default, or what the preference names, with its checksum", function()
    assert.equal("lite-int8 107d22c2", core.model(JSON, ""))
    assert.equal("base-int8 ce1a1433", core.model(JSON, "base"))
    assert.equal("base-int8 ce1a1433", core.model(JSON, "base-int8"))
  end)

  it("is a file's name, where it is one of the photographer's own", function()
    assert.equal("mine", core.model(JSON, "/home/me/mine.onnx"))
  end)
end)

describe("cut points", function()
  it("are four increasing scores", function()
    assert.same({ 10, 35, 70, 93 }, core.cut_points("10 35 70 93"))
    assert.same({ 10, 35.5, 70, 93 }, core.cut_points("10, 35.5; 70 / 93"))
  end)

  it("are refused otherwise", function()
    for _, text in ipairs({ "", "10 35 70", "10 35 70 93 99", "35 10 70 93", "10 35 70 101", "-1 2 3 4", "a b c" }) do
      assert.is_nil(core.cut_points(text), text)
    end
  end)

  it("give one star more for each that a score reaches", function()
    local points = { 10, 35, 70, 93 }
    local expected = { [0] = 1, [9.99] = 1, [10] = 2, [34.99] = 2, [35] = 3, [70] = 4, [92.99] = 4, [93] = 5 }
    for score, stars in pairs(expected) do assert.equal(stars, core.stars(score, points), score) end
  end)
end)

describe("ranks", function()
  -- The definition, literally: the share of scores below, and half of those that are equal.
  local function literal(scores)
    local ranks = {}
    for i, score in ipairs(scores) do
      local below, equal = 0, 0
      for _, other in ipairs(scores) do
        if other < score then below = below + 1 elseif other == score then equal = equal + 1 end
      end
      ranks[i] = 100 * (below + equal / 2) / #scores
    end
    return ranks
  end

  it("are percentiles among the scores", function()
    for _ = 1, 100 do
      local scores = {}
      for i = 1, math.random(0, 12) do scores[i] = math.random(0, 6) * 10 end
      assert.same(literal(scores), core.percentiles(scores))
    end
  end)
end)

describe("whose rating wins", function()
  -- What the policies mean, for a photo that has stars: none, our 2, a person's 3, a reject.
  local function may(policy, rating, stars, one_is_none, ours)
    return core.may_rate(policy, rating, ours or (rating == 2 and 2 or nil), stars, one_is_none or false)
  end

  it("is aesth's, where there is none", function()
    for _, policy in ipairs(core.POLICIES) do assert.is_true(may(policy, 0, 1), policy) end
  end)

  it("is a person's, always, unless the person says otherwise", function()
    for _, stars in ipairs({ 1, 2, 3, 4, 5 }) do
      assert.is_false(may("ours", 3, stars))
      assert.is_false(may("unrated", 3, stars))
      assert.equal(stars > 3, may("raise", 3, stars))
      assert.is_true(may("overwrite", 3, stars))
    end
  end)

  it("is renewed where aesth gave it", function()
    assert.is_true(may("ours", 2, 5))
    assert.is_true(may("ours", 2, 1))
    assert.is_false(may("unrated", 2, 5))
  end)

  it("is a person's again where the person changed ours", function()
    assert.is_false(may("ours", 4, 5, false, 2))
  end)

  it("never touches a reject, but with the policy that says so", function()
    for _, ours in ipairs({ 2, -1 }) do
      for _, policy in ipairs({ "ours", "unrated", "raise" }) do assert.is_false(may(policy, -1, 5, true, ours)) end
      assert.is_true(may("overwrite", -1, 5, true, ours))
    end
  end)

  it("takes the star that darktable gives at import for none, if asked to", function()
    for _, policy in ipairs({ "ours", "unrated", "raise" }) do
      assert.is_true(may(policy, 1, 1, true), policy)
      assert.equal(policy == "raise", may(policy, 1, 2, false), policy)
    end
  end)
end)

describe("a title", function()
  it("sorts as its score does", function()
    local scores, titles = {}, {}
    for i = 1, 200 do scores[i] = math.random(0, 10000) / 100 end
    table.sort(scores)
    for i, score in ipairs(scores) do titles[i] = core.title(score) end
    local sorted = { table.unpack(titles) }
    table.sort(sorted)
    assert.same(titles, sorted)
    assert.equal("007.50", core.title(7.5))
  end)

  it("is written only where there is none, or ours", function()
    assert.is_true(core.is_our_title("", nil))
    assert.is_true(core.is_our_title("083.10", 83.1))
    assert.is_false(core.is_our_title("083.10", nil))
    assert.is_false(core.is_our_title("083.10", 83.2))
    assert.is_false(core.is_our_title("My holidays", 83.1))
  end)
end)

describe("bursts", function()
  it("are the groups of more than one photo that have a best one, in their order", function()
    local function photo(path, group, best) return { path = path, group = group, best = best } end
    local bursts = core.bursts({
      photo("a", "2", "true"), photo("b", "1", "false"), photo("c", "1", "true"), photo("d", "2", "false"),
      photo("alone", "3", "true"), photo("of none"), photo("bracketed", "4"), photo("bracketed as well", "4"),
    })
    assert.equal(2, #bursts)
    assert.same({ "a", "d" }, bursts[1].paths)
    assert.same({ "a" }, bursts[1].best)
    assert.same({ "b", "c" }, bursts[2].paths)
    assert.same({ "c" }, bursts[2].best)
  end)

  it("have two best ones where these are one shot, as RAW and JPEG", function()
    local records = {}
    for i, path in ipairs({ "1.CR3", "1.JPG", "2.CR3", "2.JPG" }) do
      records[i] = { path = path, group = "1", best = i > 2 and "true" or "false" }
    end
    assert.same({ "2.CR3", "2.JPG" }, core.bursts(records)[1].best)
  end)
end)

describe("a complaint", function()
  it("is the last line that says something", function()
    assert.equal("no such model", core.complaint("aesth: warning: x\naesth: no such model\n\n"))
    local framed = "Usage: aesth score\n╭─ Error ──╮\n│ No such option: --bogus        │\n╰──────────╯\n"
    assert.equal("No such option: --bogus", core.complaint(framed))
    assert.is_nil(core.complaint("\n \n"))
  end)
end)

describe("the verdict on a run", function()
  it("follows the exit codes of the contract", function()
    assert.equal("done", core.verdict(0, true))
    assert.equal("done", core.verdict(1, true))
    assert.equal("crashed", core.verdict(0, false))
    assert.equal("crashed", core.verdict(1, false))
    assert.equal("old", core.verdict(2, false))
    assert.equal("needs", core.verdict(3, false))
    assert.equal("missing", core.verdict(127, false))
    assert.equal("missing", core.verdict(126, false))
    assert.equal("crashed", core.verdict(137, true))
    assert.equal("crashed", core.verdict(nil, true))
  end)
end)
