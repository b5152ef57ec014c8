-- What the plugin says and decides: pure functions, which know nothing of darktable and touch no file.

local core = {}

core.FIELDS = { "path", "score", "rating", "old_rating", "action", "error" }
core.POLICIES = { "ours", "unrated", "raise", "overwrite" }
core.REJECTED = -1

local ESCAPES = { ["\\"] = "\\\\", ["\t"] = "\\t", ["\n"] = "\\n", ["\r"] = "\\r" }
local UNESCAPES = { ["\\"] = "\\", t = "\t", n = "\n", r = "\r" }

-- `text` as one word of a POSIX shell, whatever is in it.
function core.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- `text` as one word of a Windows command line. Names of files hold no `"` there; what could end the word is refused.
function core.quote_windows(text)
  assert(not text:find('["\r\n%z]'), "not a Windows file name: " .. text)
  return '"' .. text:gsub("\\+$", "%0%0") .. '"'
end

-- The command that runs the words with its input from the file `list` and its complaints in the file `complaints`.
-- It prints its process id first, by which it can be stopped, and leaves the processor to darktable where both want it.
function core.command(words, list, complaints)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = core.quote(word) end
  return string.format("{ echo $$; exec nice -n 5 %s; } <%s 2>%s", table.concat(quoted, " "), core.quote(list),
    core.quote(complaints))
end

-- The same for Windows, where nothing is printed first and the lines go into the file `results`.
function core.windows_command(words, list, complaints, results)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = core.quote_windows(word) end
  return string.format("%s <%s >%s 2>%s", table.concat(quoted, " "), core.quote_windows(list),
    core.quote_windows(results), core.quote_windows(complaints))
end

function core.escape(text)
  return (text:gsub("[\\\t\n\r]", ESCAPES))
end

function core.unescape(field)
  return (field:gsub("\\([\\tnr])", UNESCAPES))
end

-- The fields of one line of tab-separated text, without its line end.
function core.split(line)
  local fields = {}
  for field in (line:gsub("\r?\n$", "") .. "\t"):gmatch("(.-)\t") do fields[#fields + 1] = core.unescape(field) end
  return fields
end

-- One line of tab-separated text, with its line end; nil is an empty field. `count` is the number of fields.
function core.join(fields, count)
  local texts = {}
  for i = 1, count or #fields do texts[i] = fields[i] == nil and "" or core.escape(tostring(fields[i])) end
  return table.concat(texts, "\t") .. "\n"
end

-- The names of the columns that `line` announces; nil if it is not the header of aesth's results.
function core.header(line)
  local names = core.split(line)
  for i, name in ipairs(core.FIELDS) do
    if names[i] ~= name then return nil end
  end
  return names
end

-- What one line says of a photo: path, score 0-100 or nil, action, error or nil, and the columns behind them as text.
-- nil if the line is malformed.
function core.record(line, names)
  local values = core.split(line)
  if #values ~= #names or not line:find("\n$") then return nil end
  local record = {}
  for i, name in ipairs(names) do record[name] = values[i] ~= "" and values[i] or nil end
  local score = record.score and record.score:match("^%d+%.?%d*$") and tonumber(record.score)
  if not record.path or not record.action or (record.score and not (score and score <= 100)) then return nil end
  record.score = score
  return record
end

-- The model that scores where `wanted` is the preference, from what `aesth models --format json` prints:
-- its name and the start of its checksum, as photos remember it; of a file of the photographer's own, its name.
function core.model(json, wanted)
  for object in json:gmatch("{(.-)}") do
    local name, checksum = object:match('"name":%s*"([^"]*)"'), object:match('"checksum":%s*"(%x*)"')
    local default = object:match('"default":%s*true') ~= nil
    local meant = wanted == "" and default or name == wanted or name == wanted .. "-int8"
    if name and checksum and meant then return name .. " " .. checksum:sub(1, 8) end
  end
  return (wanted:match("([^/\\]+)%.[oO][nN][nN][xX]$") or wanted)
end

-- The four increasing scores of 0-100 in `text`, at which a photo gains a star; nil if there are not four.
function core.cut_points(text)
  local points = {}
  for number in text:gmatch("[^%s,;/]+") do
    local point = tonumber(number)
    if not point or point < (points[#points] or 0) or point > 100 then return nil end
    points[#points + 1] = point
  end
  return #points == 4 and points or nil
end

-- Stars 1-5 of a score or percentile: one more for every cut point that it reaches.
function core.stars(score, cut_points)
  local stars = 1
  for _, point in ipairs(cut_points) do
    if score >= point then stars = stars + 1 end
  end
  return stars
end

-- The rank of each score among all as a percentile: the share below plus half the share that ties.
function core.percentiles(scores)
  local sorted, below, percentiles = table.move(scores, 1, #scores, 1, {}), {}, {}
  table.sort(sorted)
  local equal = {}
  for i, score in ipairs(sorted) do
    below[score] = below[score] or i - 1
    equal[score] = (equal[score] or 0) + 1
  end
  for i, score in ipairs(scores) do percentiles[i] = 100 * (below[score] + equal[score] / 2) / #scores end
  return percentiles
end

-- Whether `rating` is none; a single star is what darktable gives at import, and counts as none with `one_is_none`.
function core.is_unrated(rating, one_is_none)
  return rating == 0 or (one_is_none and rating == 1)
end

-- Whether a photo may be given `stars`.
--   policy: "unrated": only photos without a rating; "ours": those and the ones whose rating is what we gave;
--     "raise": all, as long as no star is lost; "overwrite": all, rejects as well.
--   rating: what it has now, -1 rejected. ours: what we gave it last, or nil.
--   one_is_none: as above.
function core.may_rate(policy, rating, ours, stars, one_is_none)
  if policy == "overwrite" then return true end
  if rating < 0 then return false end
  if core.is_unrated(rating, one_is_none) then return true end
  if policy == "raise" then return stars > rating end
  return policy == "ours" and rating == ours
end

-- The score as a title, by which darktable sorts: with zeros before it, so that text sorts as numbers do.
function core.title(score)
  return string.format("%06.2f", score)
end

-- Whether a title may be replaced: it is empty, or the one that we made of `score`, or nil.
function core.is_our_title(title, score)
  return title == "" or (score ~= nil and title == core.title(score))
end

-- The bursts in `records` of `aesth best`, which has the columns `group` and `best`, in the order in which they begin:
-- the `paths` of each, and those of its `best` photo, which are two for RAW and JPEG. Groups of which none is the best,
-- such as brackets, are left out.
function core.bursts(records)
  local groups, order = {}, {}
  for _, record in ipairs(records) do
    local name = record.group
    if name then
      if not groups[name] then
        groups[name] = { paths = {}, best = {} }
        order[#order + 1] = groups[name]
      end
      table.insert(groups[name].paths, record.path)
      if record.best == "true" then table.insert(groups[name].best, record.path) end
    end
  end
  local bursts = {}
  for _, group in ipairs(order) do
    if #group.best > 0 and #group.paths > #group.best then bursts[#bursts + 1] = group end
  end
  return bursts
end

-- The last line of what a program complained that says something, without the frame that may be around it.
function core.complaint(text)
  local last
  for line in text:gmatch("[^\r\n]+") do
    local said = line:gsub("\u{2502}", ""):match("^%s*(.-)%s*$")
    if said:find("%w") and not said:find("\u{2500}") then last = said end
  end
  return last and last:gsub("^aesth: ", "")
end

-- How a run ended, told by the exit code of its program:
-- "done" (0, or 1: some photos failed), "missing", "old", "needs", or "crashed".
function core.verdict(exit, has_header)
  if exit == 127 or exit == 126 then return "missing" end
  if exit == 2 then return "old" end
  if exit == 3 then return "needs" end
  if (exit == 0 or exit == 1) and has_header then return "done" end
  return "crashed"
end

return core
