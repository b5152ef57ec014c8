local sidecar = require "aesth/lib/sidecar"

local NAMESPACES = [[ xmlns:xmp="http://ns.adobe.com/xap/1.0/"
  xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/" xmlns:acdsee="http://ns.acdsee.com/iptc/1.0/"
  xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:darktable="http://darktable.sf.net/"
  xmlns:aesth="urn:aesth:xmp/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"]]

-- XMP with `attributes` of the description, and `elements` in it.
local function xmp(attributes, elements)
  return '<?xml version="1.0" encoding="UTF-8"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">\n'
    .. ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n  <rdf:Description rdf:about=""'
    .. NAMESPACES .. " " .. (attributes or "") .. ">" .. (elements or "")
    .. "</rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
end

local function rating(attributes, elements)
  return assert(sidecar.read(xmp(attributes, elements))).rating
end

describe("a rating", function()
  it("is read from an attribute and from an element", function()
    for _, stars in ipairs({ -1, 0, 1, 2, 3, 4, 5 }) do
      assert.equal(stars, rating('xmp:Rating="' .. stars .. '"'))
      assert.equal(stars, rating("", "<xmp:Rating>" .. stars .. "</xmp:Rating>"))
      assert.equal(stars, rating("", "<xmp:Rating>\n " .. stars .. "\n</xmp:Rating>"))
    end
  end)

  it("is found by its namespace, whatever the prefix", function()
    local text = xmp('xmp:Rating="4"'):gsub("xmp:Rating", "xap:Rating"):gsub("xmlns:xmp=", "xmlns:xap=")
    assert.equal(4, sidecar.read(text).rating)
    assert.equal(4, rating("", '<r:Rating xmlns:r="http://ns.adobe.com/xap/1.0/">4</r:Rating>'))
    assert.equal(4, rating("", '<Rating xmlns="http://ns.adobe.com/xap/1.0/">4</Rating>'))
    assert.is_nil(rating("", '<xmp:Rating xmlns:xmp="urn:something else">4</xmp:Rating>'))
  end)

  it("is taken as a number, as other programs write it", function()
    assert.equal(3, rating("xmp:Rating='3'"))
    assert.equal(3, rating('xmp:Rating="3.7"'))
    assert.equal(-1, rating('xmp:Rating="-1.0"'))
    assert.equal(5, rating('xmp:Rating="9"'))
    assert.equal(3, rating('xmp:Rating = "&#51;"'))
    assert.is_nil(rating('xmp:Rating="good"'))
    assert.is_nil(rating('xmp:Rating=""'))
  end)

  it("is not taken from elsewhere", function()
    assert.is_nil(rating())
    assert.is_nil(rating("", "<!-- <xmp:Rating>4</xmp:Rating> -->"))
    assert.is_nil(rating("", "<dc:title><![CDATA[<xmp:Rating>4</xmp:Rating>]]></dc:title>"))
    assert.is_nil(rating('dc:title="xmp:Rating=&quot;4&quot; > 3"'))
    assert.is_nil(rating("", '<darktable:history><rdf:Seq><rdf:li xmp:Rating="4"/></rdf:Seq></darktable:history>'))
    assert.is_nil(rating("", "<dc:x><rdf:Description><xmp:Rating>4</xmp:Rating></rdf:Description></dc:x>"))
  end)

  it("is found in any of several descriptions", function()
    local second = '<rdf:Description xmp:Rating="2" xmlns:xmp="http://ns.adobe.com/xap/1.0/"/>%0'
    local text = xmp('dc:title="a"'):gsub("</rdf:RDF>", second)
    assert.equal(2, sidecar.read(text).rating)
  end)

  it("may be said by one of the keys of other programs", function()
    assert.equal(4, rating('acdsee:rating="4"'))
    for percent, stars in pairs({ [0] = 0, [1] = 1, [25] = 2, [50] = 3, [75] = 4, [99] = 5 }) do
      assert.equal(stars, rating('MicrosoftPhoto:Rating="' .. percent .. '"'), percent)
    end
    assert.equal(2, rating('xmp:Rating="2" acdsee:rating="4" MicrosoftPhoto:Rating="99"'))
    assert.equal(4, rating('xmp:Rating="0" acdsee:rating="4"'))
  end)

  it("is a reject where digiKam's pick label says so", function()
    assert.equal(-1, rating('digiKam:PickLabel="1"'))
    assert.equal(-1, rating('digiKam:PickLabel="1" xmp:Rating="4"'))
    assert.equal(4, rating('digiKam:PickLabel="3" xmp:Rating="4"'))
    assert.equal(-1, rating('digiKam:PickLabel="1" xmp:Rating="-1" aesth:Rating="-1"'))
  end)

  it("is no reject any more where a person took ours back in darktable, which knows no pick labels", function()
    assert.equal(0, rating('digiKam:PickLabel="1" xmp:Rating="0" aesth:Rating="-1"'))
    assert.equal(3, rating('digiKam:PickLabel="1" xmp:Rating="3" aesth:Rating="-1"'))
  end)
end)

describe("what aesth wrote", function()
  it("is read from attributes and from elements", function()
    local expected = { rating = 4, score = 83.1, model = "lite-int8 107d22c2" }
    local attributes = 'aesth:Rating="4" aesth:Score="83.10" aesth:Model="lite-int8 107d22c2"'
    assert.same(expected, sidecar.read(xmp(attributes)).ours)
    local elements = attributes:gsub('(%S+)="(.-)"', "<%1>%2</%1>")
    assert.same(expected, sidecar.read(xmp("", elements)).ours)
    assert.same({}, sidecar.read(xmp('xmp:Rating="4"')).ours)
  end)
end)

describe("edits", function()
  local function edited(attributes) return sidecar.read(xmp(attributes)).edited end

  it("are there where the history is not the one that darktable made by itself", function()
    assert.is_true(edited('darktable:history_current_hash="b"'))
    assert.is_true(edited('darktable:history_auto_hash="a" darktable:history_current_hash="b"'))
    assert.is_false(edited(""))
    assert.is_false(edited('darktable:history_auto_hash="a" darktable:history_current_hash="a"'))
    assert.is_false(edited('darktable:history_basic_hash="a" darktable:history_current_hash="a"'))
  end)
end)

describe("damage", function()
  local creator = "<dc:creator><rdf:Seq><rdf:li>me</rdf:li></rdf:Seq></dc:creator>"
  local whole = xmp('xmp:Rating="4" dc:title="a &amp; b"', creator)

  it("is told of every XMP that is cut off", function()
    for length = 0, #whole - 2 do
      local facts, why = sidecar.read(whole:sub(1, length))
      assert.is_nil(facts, length)
      assert.is_string(why)
    end
    assert.equal(4, sidecar.read(whole).rating)
  end)

  it("is told of what is not well formed", function()
    local function replaced(what, by)
      local start, stop = whole:find(what, 1, true)
      return whole:sub(1, start - 1) .. by .. whole:sub(stop + 1)
    end
    for _, text in ipairs({
      replaced("</rdf:li>", "</rdf:LI>"), replaced("</rdf:li>", ""), replaced('"a &amp; b"', '"a < b"'),
      replaced("&amp;", "&bomb;"), replaced("&amp;", "&"), replaced('xmp:Rating="4"', "xmp:Rating=4"),
      replaced('xmp:Rating="4"', 'xmp:Rating="4" xmp:Rating="5"'), replaced("dc:creator", "unknown:creator"),
      whole .. whole, whole .. "more", replaced("<x:xmpmeta", '<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta'),
      replaced("<x:xmpmeta", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x:xmpmeta'),
      "", "\n", "4", "<", "<>", "PK\3\4", "<a>" .. ("<b>"):rep(100000),
    }) do
      local facts, why = sidecar.read(text)
      assert.is_nil(facts, text:sub(1, 200))
      assert.is_string(why)
    end
  end)

  it("is told, rather than raised, whatever the bytes are", function()
    for _ = 1, 500 do
      local at, byte = math.random(#whole), string.char(math.random(0, 255))
      local facts, why = sidecar.read(whole:sub(1, at - 1) .. byte .. whole:sub(at + 1))
      assert.is_true((facts == nil) == (type(why) == "string"))
    end
  end)

  it("is not that there is a mark at the start, a packet around it, or white space at the end", function()
    assert.equal(4, sidecar.read("\u{FEFF}" .. whole .. "\n\n").rating)
    local bare = whole:gsub("^.-%?>", "")
    local packet = '<?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>' .. bare .. '<?xpacket end="w"?>'
    assert.equal(4, sidecar.read(packet).rating)
  end)

  it("is XMP in UTF-16, which darktable does not write", function()
    assert.is_nil((sidecar.read((whole:gsub(".", "%0\0")))))
  end)
end)

describe("embedded XMP", function()
  it("is found between other bytes", function()
    local packet = xmp('aesth:Rating="4"'):match("<x:xmpmeta.*</x:xmpmeta>")
    local photo = "\xff\xd8\xff\xe1\0\0http://ns.adobe.com/xap/1.0/\0" .. packet .. "\xff\xdb\0"
    assert.equal(packet, sidecar.embedded(photo))
    assert.is_nil(sidecar.embedded("\xff\xd8\xff"))
    assert.is_nil(sidecar.embedded("\xff\xd8" .. packet:sub(1, 300)))
  end)
end)

describe("a photo takes the rating of its sidecar", function()
  local function decide(attributes, now, is_altered)
    return { sidecar.decide(sidecar.read(xmp(attributes)), now, is_altered or false) }
  end

  it("where that is another", function()
    assert.same({ 4 }, decide('xmp:Rating="4"', 1))
    assert.same({ 0 }, decide('xmp:Rating="0"', 4))
    assert.same({ -1 }, decide('xmp:Rating="-1"', 4))
    assert.same({ nil, "same" }, decide('xmp:Rating="4"', 4))
  end)

  it("unless the sidecar is silent", function()
    assert.same({ nil, "silent" }, decide("", 4))
  end)

  it("unless the sidecar holds edits that darktable does not know, and would write over", function()
    local edits = 'xmp:Rating="4" darktable:history_current_hash="b"'
    assert.same({ nil, "edits" }, decide(edits, 1, false))
    assert.same({ 4 }, decide(edits, 1, true))
    assert.same({ nil, "same" }, decide(edits, 4, false))
  end)
end)
