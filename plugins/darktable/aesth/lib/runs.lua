-- What the plugin does: each function is one run, one at a time, with a progress bar that can cancel it.

local dt = require "darktable"

local here = (...):match("^(.*[/.])") or ""
local core = require(here .. "core")
local library = require(here .. "library")
local memories = require(here .. "memory")
local program = require(here .. "program")
local settings = require(here .. "settings")
local sidecar = require(here .. "sidecar")

local runs = {}

local HEAD_BYTES, MOST_BYTES = 256 * 1024, 16 * 1024 * 1024
local OFTEN = 10 -- changes between two moments that darktable has for its windows
local SETTLING = 2000 -- milliseconds for which a sidecar stays as it is once darktable has written it

-- Told of every message; the panel shows the last one.
runs.on_message = function() end

local memory
local current -- the run in progress: `is_asked` to stop, and how to `kill` its program
local facts_of = {} -- paths -> what aesth wrote into sidecars, as far as they have been read

local function _(text)
  return dt.gettext.dgettext("aesth", text)
end

-- Tell the photographer something.
function runs.say(text, ...)
  local message = select("#", ...) > 0 and string.format(text, ...) or text
  dt.print("aesth: " .. message)
  dt.print_log("aesth: " .. message)
  runs.on_message(message)
end

local say = runs.say

-- Stop a run with a message for the photographer.
local function give_up(text, ...)
  error({ message = string.format(text, ...) }, 0)
end

-- Keep what the plugin remembers in `folder`, which exists.
function runs.open(folder)
  memory = memories.open(folder)
end

function runs.is_busy()
  return current ~= nil
end

-- Ask the run in progress to stop; what it has done stays.
function runs.cancel()
  if not current then return end
  current.is_asked = true
  if current.kill then current.kill() end
end

-- Do `work(job, stop)`, which returns what to tell at its end, beside darktable's own work.
local function start(label, work)
  if current then return say(_("wait until the run before is over")) end
  local stop = {}
  current = stop
  dt.control.dispatch(function()
    local job = dt.gui.create_job("aesth: " .. label, true, runs.cancel)
    memory:begin()
    local well, told = xpcall(function() return work(job, stop) end, function(problem)
      return type(problem) == "table" and problem or { message = debug.traceback(problem) }
    end)
    if job.valid then job.valid = false end
    say("%s", well and told or told.message)
    current = nil
  end)
end

-- Do `visit` for each of `items`, as long as nobody cancels.
local function each(items, job, stop, visit)
  for i, item in ipairs(items) do
    if stop.is_asked or dt.control.ending then break end
    if visit(item) or i % OFTEN == 0 then library.breathe() end
    job.percent = i / #items
  end
end

local function content_of(path, most)
  local file = io.open(path, "rb")
  if not file then return nil end
  local content = file:read(most)
  file:close()
  return content or ""
end

-- Adobe's name for the sidecar of a photo; nil where it has none: other programs write one for RAW files alone.
local function adobe_sidecar(image)
  -- darktable does not count DNG as RAW, since some hold developed pictures.
  local is_raw = image.is_raw or image.filename:lower():find("%.dng$")
  if not is_raw or image.duplicate_index > 0 then return nil end
  return (library.path(image):gsub("%.[^./\\]*$", "")) .. ".xmp"
end

-- The text of a photo's sidecar in darktable's style, and of the one in Adobe's; nil for what there is not.
local function texts_of_sidecars(image)
  local other = adobe_sidecar(image)
  return content_of(image.sidecar, MOST_BYTES), other and content_of(other, MOST_BYTES)
end

-- What aesth wrote into a sidecar of a photo, or into the photo itself: rating, score, model; each may be nil.
local function written_outside(image)
  local path = library.path(image)
  local name = path .. "\0" .. image.duplicate_index
  if facts_of[name] then return facts_of[name] end
  local own, other = texts_of_sidecars(image)
  local facts = own and sidecar.read(own)
  if other and not (facts and facts.ours.rating) then facts = sidecar.read(other) or facts end
  if not (facts and facts.ours.rating) and image.duplicate_index == 0 and not image.is_raw then
    local packet = sidecar.embedded(content_of(path, HEAD_BYTES) or "")
    facts = packet and sidecar.read(packet) or facts
  end
  facts_of[name] = facts and facts.ours or {}
  return facts_of[name]
end

-- The stars that we gave a photo last, as the plugin or as `aesth tag`; nil if we gave none.
local function ours(image)
  return memory:ours(library.path(image), image.duplicate_index) or written_outside(image).rating
end

-- The score, 0-100, and the model of a photo; nil where they are not known.
function runs.known(image)
  local known = memory and memory:of(library.path(image)) or {}
  if not known.score then known = written_outside(image) end
  return known.score, known.model
end

-- The name and checksum of the model that scores; the program is asked once. Gives up where it does not answer.
local models = {}
local function model_of(how, stop)
  local asked = how.program .. "\0" .. how.model
  if models[asked] then return models[asked] end
  local lines = {}
  local code, complaint = program.run({ how.program, "models", "--format", "json" }, {}, function(line)
    lines[#lines + 1] = line
  end, stop)
  local json = table.concat(lines)
  local verdict = core.verdict(code, json:find("^%[") ~= nil)
  if stop.is_asked then return how.model end
  if verdict == "missing" then
    give_up(
      _("the program %s was not found: install it, or choose it in preferences > Lua options, aesth: the program"),
      how.program)
  elseif verdict ~= "done" then
    give_up(
      _("%s does not answer as aesth does; update it, or choose another in preferences > Lua options. It said: %s"),
      how.program, complaint or "-")
  end
  models[asked] = core.model(json, how.model)
  return models[asked]
end

-- What went wrong with a program that ended with `code`; nil if nothing did.
local function problem(code, has_header, complaint, stop)
  local verdict = core.verdict(code, has_header)
  if stop.is_asked then return _("cancelled") end
  if verdict == "done" then return nil end
  local texts = {
    missing = _("the program could not be started: %s"),
    old = _("this aesth does not know what it was asked; update it. It said: %s"),
    needs = _("something that aesth needs is missing: %s"),
    crashed = _("aesth ended early: %s"),
  }
  return string.format(texts[verdict], complaint or string.format(_("exit code %s"), code))
end

-- Run aesth by the words `command` over `files`. What it says of a photo with a score is handed to `on_score` with its
-- file.
-- Returns how many photos `failed` and the `first` of them, how many lines were `malformed`, and a `problem` or nil.
local function ask(command, how, files, by_path, job, stop, on_score)
  local told = { answered = 0, failed = 0, malformed = 0 }
  local words = { how.program, table.unpack(command) }
  table.move({ "--files-from", "-", "--null", "--format", "tsv", "--quiet" }, 1, 6, #words + 1, words)
  if how.model ~= "" then table.move({ "--model", how.model }, 1, 2, #words + 1, words) end
  local paths, names = {}, nil
  for i, file in ipairs(files) do paths[i] = file.path end

  local function on_line(line)
    if not names then
      names = core.header(line)
      if names then return end
    end
    local record = names and core.record(line, names)
    local file = record and by_path[record.path]
    if not file then
      told.malformed = told.malformed + 1
      return dt.print_log("aesth: malformed line: " .. line)
    end
    told.answered = told.answered + 1
    job.percent = math.min(1, told.answered / #files)
    if record.score then return on_score(record, file) end
    if record.action ~= "failed" then return end
    told.failed = told.failed + 1
    told.first = told.first or string.format("%s: %s", record.path:match("[^/\\]*$"), record.error or "-")
  end

  local code, complaint = program.run(words, paths, on_line, stop)
  told.problem = problem(code, names ~= nil, complaint, stop)
  return told
end

-- The message at the end of a run: what was done, and what went wrong.
local function summary(done, told)
  local parts = { told.problem }
  if told.answered > 0 or not told.problem then parts[#parts + 1] = done end
  if told.failed > 0 then parts[#parts + 1] = string.format(_("%d failed, such as %s"), told.failed, told.first) end
  if told.malformed > 0 then
    parts[#parts + 1] = string.format(_("%d lines of its answer made no sense and were passed over"), told.malformed)
  end
  return table.concat(parts, "; ")
end

-- Give the versions of a photo their stars, as far as the policy allows, and count what was done.
local function rate(how, file, score, model, tally)
  local stars, changed = core.stars(how.percentile or score, how.cut_points), false
  local known = memory:of(file.path)
  local old_score = known and known.score
  for _, image in ipairs(file.images) do
    local given -- looked up only where it counts, since it may be in a file
    if how.policy == "ours" and not core.is_unrated(image.rating, how.one_is_none) then given = ours(image) end
    local may = core.may_rate(how.policy, image.rating, given, stars, how.one_is_none)
    local has_new = may and library.set(memory, image, "rating", stars)
    local what = may and (has_new and "rated" or "same") or "kept"
    tally[what] = tally[what] + 1
    if how.has_titles and core.is_our_title(image.title, old_score) then
      changed = library.set(memory, image, "title", core.title(score)) or changed
    end
    library.remember(memory, image, score, may and stars or nil, model)
    changed = changed or has_new
  end
  return changed
end

-- Score photos and give them stars: each as soon as its score is there, or by rank once all are.
function runs.score(images)
  local how = settings.now()
  if not how.cut_points then
    return say(_("the scores for 2, 3, 4 and 5 stars in preferences > Lua options must be increasing numbers of 0-100"))
  end
  local files, by_path = library.files(images)
  if #files == 0 then return say(_("there are no photos to score here")) end
  start(string.format(_("scoring %d photos"), #files), function(job, stop)
    local tally = { rated = 0, same = 0, kept = 0 }
    local model = model_of(how, stop)
    if stop.is_asked then return _("cancelled") end
    local waiting = {}
    local told = ask({ "score", "--no-relative" }, how, files, by_path, job, stop, function(record, file)
      if how.is_relative then
        waiting[#waiting + 1] = { file = file, score = record.score }
      else
        rate(how, file, record.score, model, tally)
      end
    end)
    local scores = {}
    for i, photo in ipairs(waiting) do scores[i] = photo.score end
    local percentiles = core.percentiles(scores)
    for i, photo in ipairs(waiting) do
      how.percentile = percentiles[i]
      if rate(how, photo.file, photo.score, model, tally) and i % OFTEN == 0 then library.breathe() end
    end
    local done = _("%d rated, %d unchanged, %d kept")
    return summary(string.format(done, tally.rated, tally.same, tally.kept), told)
  end)
end

local function images_of(paths, by_path)
  local images = {}
  for _, path in ipairs(paths) do
    for _, image in ipairs(by_path[path].images) do images[#images + 1] = image end
  end
  return images
end

-- Find bursts, and put the best photo of each on top, or mark it with a colour.
function runs.best(images)
  local how = settings.now()
  local files, by_path = library.files(images)
  if #files == 0 then return say(_("there are no photos here")) end
  start(_("finding the best of each group"), function(job, stop)
    model_of(how, stop)
    if stop.is_asked then return _("cancelled") end
    local records = {}
    local told = ask({ "best" }, how, files, by_path, job, stop, function(record) records[#records + 1] = record end)
    if told.problem then return summary(_("nothing was changed"), told) end
    local bursts = core.bursts(records)
    each(bursts, job, stop, function(burst)
      local members, best = images_of(burst.paths, by_path), images_of(burst.best, by_path)
      if how.best == "group" then return library.group(memory, members, best[1]) end
      local changed = false
      for _, image in ipairs(best) do changed = library.set(memory, image, how.best, true) or changed end
      return changed
    end)
    return summary(string.format(_("%d groups found"), #bursts), told)
  end)
end

-- What a photo's sidecar says: its `text`, `what` follows from it, and the `rating` to take, if any.
local function look(image)
  local own, other = texts_of_sidecars(image)
  local text = own or other
  local facts = text and sidecar.read(text)
  if not facts then return { text = text, what = text and "damaged" or "missing" } end
  local rating, why = sidecar.decide(facts, image.rating, image.is_altered)
  return { text = text, what = rating and "taken" or why, rating = rating }
end

-- Look again at sidecars that disagree with the library, until none of them changes any more: since 5.0 darktable
-- writes them a while after it rated or edited a photo, and what stands in them until then is old.
local function settle(disagreeing, stop)
  local is_still = next(disagreeing) == nil
  while not (is_still or stop.is_asked or dt.control.ending) do
    dt.control.sleep(SETTLING)
    is_still = true
    for image, before in pairs(disagreeing) do
      disagreeing[image] = look(image)
      if disagreeing[image].text ~= before.text then is_still = false end
    end
  end
end

-- What the sidecars of photos say, by photo.
local function look_at_all(images, job, stop)
  local found, disagreeing = {}, {}
  each(images, job, stop, function(image)
    local seen = look(image)
    local disagrees = seen.what == "taken" or seen.what == "edits"
    if disagrees then disagreeing[image] = seen else found[image] = { what = seen.what } end
  end)
  settle(disagreeing, stop)
  for image, seen in pairs(disagreeing) do found[image] = seen end
  return found
end

-- Take the ratings that other programs changed in sidecars. Edits in darktable's library stay as they are.
function runs.read_sidecars(images)
  if #images == 0 then return say(_("there are no photos here")) end
  start(_("reading ratings from sidecars"), function(job, stop)
    local tally = { taken = 0, same = 0, silent = 0, missing = 0, edits = 0, damaged = 0 }
    local first = {}
    facts_of = {}
    local found = look_at_all(images, job, stop)
    each(images, job, stop, function(image)
      local seen = found[image]
      if not seen then return false end
      tally[seen.what] = tally[seen.what] + 1
      first[seen.what] = first[seen.what] or image.filename
      return seen.rating and library.set(memory, image, "rating", seen.rating)
    end)
    local parts = { string.format(_("%d ratings taken from sidecars, %d unchanged"), tally.taken, tally.same) }
    local texts = {
      { "silent", _("%d sidecars say nothing of a rating (%s)") },
      { "missing", _("%d without a sidecar (%s)") },
      { "edits", _("%d hold edits that darktable does not know: load the sidecar first (%s)") },
      { "damaged", _("%d sidecars are damaged and were left alone (%s)") },
    }
    for _, text in ipairs(texts) do
      if tally[text[1]] > 0 then parts[#parts + 1] = string.format(text[2], tally[text[1]], first[text[1]]) end
    end
    if stop.is_asked then table.insert(parts, 1, _("cancelled")) end
    return table.concat(parts, "; ")
  end)
end

-- Give every photo of the last run its old rating back, its title and mark as well, but for what changed since.
function runs.undo()
  if #memory:changes() == 0 then return say(_("there is no run to undo")) end
  start(_("undoing the last run"), function(job)
    local restored, stayed, gone = library.undo(memory, function(number, count)
      job.percent = number / count
      if number % OFTEN == 0 then library.breathe() end
    end)
    local parts = { string.format(_("%d changes taken back"), restored) }
    if stayed > 0 then parts[2] = string.format(_("%d were changed since and stay"), stayed) end
    if gone > 0 then parts[#parts + 1] = string.format(_("%d belong to photos that are gone"), gone) end
    return table.concat(parts, "; ")
  end)
end

return runs
